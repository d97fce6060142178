import neo4j, { type Driver, type ManagedTransaction, type Session } from 'neo4j-driver';
import { createConstraints, createIndexes, wipeGraph } from './graph-schema.ts';
import type { Person, Properties, Value } from './records.ts';
import type { Shape } from './shape.ts';
import { type NodesByLabel, sharedNodes } from './shared-nodes.ts';
import { Tally } from './tally.ts';

/** A relationship to be made, by the ids of its ends. */
interface Link {
  readonly from: string;
  readonly to: string;
  readonly properties?: Properties;
}

/** Writes people's nodes and relationships, a batch of people a transaction. */
export interface GraphWriter {
  readonly nodes: Tally;
  readonly relationships: Tally;
  /** Empties the graph, makes the constraints and the nodes that belong to nobody. */
  prepare(): Promise<void>;
  /** May be called again before the last call is through. */
  write(people: readonly Person[]): Promise<void>;
  /** Makes the indexes that are not needed before. */
  finish(): Promise<void>;
}

export function createGraphWriter(driver: Driver, shape: Shape): GraphWriter {
  const [nodes, relationships] = [new Tally(), new Tally()];
  const inSession = async (work: (session: Session) => Promise<void>) => {
    const session = driver.session();
    try {
      await work(session);
    } finally {
      await session.close();
    }
  };
  const create = (labels: NodesByLabel, links: ReadonlyMap<string, readonly Link[]>) =>
    inSession(async (session) => {
      await session.executeWrite(async (transaction) => {
        for (const [label, rows] of labels) await createNodes(transaction, label, rows);
        for (const [kind, list] of links) await createLinks(transaction, kind, list);
      });
      // Only now: a transaction that met a deadlock has been carried out again.
      for (const [label, rows] of labels) nodes.add(label, rows.length);
      for (const [kind, list] of links) relationships.add(kind.split(' ')[1] ?? kind, list.length);
    });
  return {
    nodes,
    relationships,
    async prepare() {
      await inSession(async (session) => {
        await wipeGraph(session);
        await createConstraints(session, shape.messy);
      });
      await create(sharedNodes(shape), new Map());
    },
    write: (people) => create(nodesOf(people), linksOf(people)),
    finish: () => inSession(createIndexes),
  };
}

async function createNodes(transaction: ManagedTransaction, label: string, rows: readonly Properties[]): Promise<void> {
  if (rows.length === 0) return;
  await transaction.run(`UNWIND $rows AS row CREATE (n:${label}) SET n = row`, { rows: rows.map(toNode) });
}

async function createLinks(transaction: ManagedTransaction, kind: string, links: readonly Link[]): Promise<void> {
  const [from, type, to] = kind.split(' ');
  const statement = `
    UNWIND $rows AS row MATCH (a:${from} {id: row.from}) MATCH (b:${to} {id: row.to})
    CREATE (a)-[r:${type}]->(b) SET r = row.properties`;
  const rows = links.map((link) => ({ from: link.from, to: link.to, properties: toNode(link.properties ?? {}) }));
  const { summary } = await transaction.run(statement, { rows });
  const missing = links.length - summary.counters.updates().relationshipsCreated;
  if (missing !== 0) throw new Error(`${kind}: ${missing} of ${links.length} ends are missing`);
}

function nodesOf(people: readonly Person[]): NodesByLabel {
  return new Map<string, readonly Properties[]>([
    ['User', people.map((person) => person.user)],
    ['Space', people.flatMap((person) => person.space ?? [])],
    ['Notebook', people.flatMap((person) => person.notebooks)],
    ['Document', people.flatMap((person) => person.documents)],
    ['Chunk', people.flatMap(chunkNodes)],
  ]);
}

/** Only the documents that have an object keep their chunks in the graph too. */
function chunkNodes(person: Person): readonly Properties[] {
  const documents = new Map(person.bodies.map(({ document }) => [document.processing_job_id, document.id]));
  return person.chunks.flatMap((chunk) => {
    const document_id = documents.get(chunk.file_id);
    return document_id === undefined ? [] : [{ ...chunk, document_id }];
  });
}

/** Relationships by `From TYPE To`. A node whose owner or notebook is not there gets none, whatever its ids say. */
function linksOf(people: readonly Person[]): Map<string, Link[]> {
  const links = new Map<string, Link[]>();
  const add = (kind: string, from: string, to: string, properties?: Properties) => {
    const list = links.get(kind);
    const link = properties ? { from, to, properties } : { from, to };
    if (list) list.push(link);
    else links.set(kind, [link]);
  };
  for (const { user, space, notebooks, documents, older, memberships } of people) {
    if (space) {
      add('User OWNS Space', user.id, space.id);
      add('User MEMBER_OF Space', user.id, space.id, { role: 'owner' });
    }
    for (const { label, id, role } of memberships) add(`User MEMBER_OF ${label}`, user.id, id, { role });
    for (const notebook of notebooks) {
      if (notebook.owner_id === user.id) add('Notebook OWNED_BY User', notebook.id, user.id);
      if (space && notebook.space_id === space.id) add('Notebook BELONGS_TO Space', notebook.id, space.id);
      if (notebook.parent_id) add('Notebook PARENT_OF Notebook', notebook.parent_id, notebook.id);
    }
    const known = new Set(notebooks.map((notebook) => notebook.id));
    for (const [index, document] of documents.entries()) {
      if (document.owner_id === user.id) add('Document OWNED_BY User', document.id, user.id);
      if (!document.notebook_id || !known.has(document.notebook_id)) continue;
      if (older.has(document)) {
        const properties = { created_at: document.created_at, order_index: index };
        add('Document BELONGS_TO_NOTEBOOK Notebook', document.id, document.notebook_id, properties);
      } else add('Document BELONGS_TO Notebook', document.id, document.notebook_id);
    }
  }
  return links;
}

/** Whole numbers become integers, which the driver would else send as floats; moments become datetimes in UTC. */
function toNode(record: Properties): Record<string, unknown> {
  const node: Record<string, unknown> = {};
  for (const name in record) {
    const value = record[name] as Value;
    if (value !== null) node[name] = toProperty(name, value);
  }
  return node;
}

function toProperty(name: string, value: Value): unknown {
  if (typeof value === 'number') return name === 'confidence_score' ? value : neo4j.int(value);
  if (!(value instanceof Date)) return value;
  return new neo4j.types.DateTime(
    value.getUTCFullYear(),
    value.getUTCMonth() + 1,
    value.getUTCDate(),
    value.getUTCHours(),
    value.getUTCMinutes(),
    value.getUTCSeconds(),
    value.getUTCMilliseconds() * 1_000_000,
    0,
  );
}
