import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import type { BackupContext, BackupPart, Fingerprint } from '../../system.ts';
import type { Connection } from '../connection.ts';
import { decodeProperties } from '../encode.ts';
import { asFailure } from '../error.ts';
import { createGraphHash, type NodeRecord, type RelationshipRecord } from './graph-hash.ts';
import { type GraphSchema, graphSchema } from './graph-schema.ts';
import { checkFile, corruptBackup, readPart, writePart } from './part-file.ts';
import { walkGraph } from './walk-graph.ts';

const FORMAT = 'neo4j-typed-export/1';
const FILES = { nodes: 'nodes.ndjson.zst', relationships: 'relationships.ndjson.zst', schema: 'schema.json' };
const EXCLUDES = ['users and roles of the server', 'other databases of the server'];
const PROGRESS_EVERY = 5000;

/** Calls `progress` now and then, not for each record. */
export function createProgress(context: BackupContext): { begin(total: number): void; add(count: number): void } {
  let [done, total, said] = [0, null as number | null, 0];
  return {
    begin(records) {
      total = records;
      context.progress(0, total, 'records');
    },
    add(count) {
      done += count;
      if (done - said < PROGRESS_EVERY && done !== total) return;
      said = done;
      context.progress(done, total, 'records');
    },
  };
}

/** Writes everything that the database holds, the bot's journal included, without loss. */
export async function backUp(connection: Connection, folder: string, context: BackupContext): Promise<BackupPart> {
  const nodes = writePart(folder, FILES.nodes);
  const relationships = writePart(folder, FILES.relationships);
  const progress = createProgress(context);
  let schemaText = '';
  const visitor = {
    begin: (records: number) => progress.begin(records),
    schema: (schema: GraphSchema) => {
      schemaText = `${JSON.stringify({ format: FORMAT, ...schema }, null, 2)}\n`;
    },
    async node({ id, labels, properties }: NodeRecord) {
      await nodes.write([id, labels, properties]);
      progress.add(1);
    },
    async relationship({ start, end, type, properties }: RelationshipRecord) {
      await relationships.write([start, end, type, properties]);
      progress.add(1);
    },
  };
  try {
    const fingerprint = await walkGraph(connection, visitor, context.signal);
    const bytes = Buffer.from(schemaText);
    await writeFile(join(folder, FILES.schema), bytes, { flag: 'wx', mode: 0o600, flush: true });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const schema = { path: FILES.schema, bytes: bytes.length, sha256 };
    return {
      format: FORMAT,
      files: [await nodes.close(), await relationships.close(), schema],
      fingerprint,
      excludes: EXCLUDES,
    };
  } catch (error) {
    nodes.abort();
    relationships.abort();
    throw asFailure(error, connection.place);
  }
}

const id = z.number().int().nonnegative();
// Not z.record, which leaves out some names; the values are checked when they are decoded.
const encoded = z.custom<NodeRecord['properties']>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const nodeLine = z.tuple([id, z.array(z.string().min(1)), encoded]);
const relationshipLine = z.tuple([id, id, z.string().min(1), encoded]);

/** The nodes of a backup, in the order of their numbers. */
export async function* readNodes(folder: string): AsyncGenerator<{ node: NodeRecord; length: number }> {
  for await (const { line, length } of readPart(folder, FILES.nodes)) {
    const parsed = nodeLine.safeParse(line);
    if (!parsed.success) throw corruptBackup(`${FILES.nodes} holds a line that is no node`);
    const [number, labels, properties] = parsed.data;
    yield { node: { id: number, labels, properties }, length };
  }
}

export async function* readRelationships(
  folder: string,
): AsyncGenerator<{ relationship: RelationshipRecord; length: number }> {
  for await (const { line, length } of readPart(folder, FILES.relationships)) {
    const parsed = relationshipLine.safeParse(line);
    if (!parsed.success) throw corruptBackup(`${FILES.relationships} holds a line that is no relationship`);
    const [start, end, type, properties] = parsed.data;
    yield { relationship: { start, end, type, properties }, length };
  }
}

async function readSchemaFile(folder: string): Promise<GraphSchema> {
  try {
    const { format: _, ...schema } = JSON.parse(await readFile(join(folder, FILES.schema), 'utf8')) as { format: Json };
    return graphSchema.parse(schema);
  } catch (error) {
    throw corruptBackup(`${FILES.schema} is damaged`, error);
  }
}

function sameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  const counts = (of: Fingerprint) => JSON.stringify(Object.entries(of.counts).sort());
  return a.hash === b.hash && counts(a) === counts(b);
}

/** Refuses a graph that is not the one that was backed up. */
export function expectFingerprint(part: BackupPart, found: Fingerprint, where: string): void {
  if (!sameFingerprint(part.fingerprint, found)) throw corruptBackup(`${where} differs from what was backed up`);
}

/** Reads the whole part and checks it against itself, before anything is changed. Returns what it holds. */
export async function verifyPart(
  part: BackupPart,
  folder: string,
  signal?: AbortSignal,
): Promise<{ records: number; schema: GraphSchema; fingerprint: Fingerprint }> {
  if (part.format !== FORMAT) throw corruptBackup(`its form is ${part.format}, known is ${FORMAT}`);
  const paths = part.files.map(({ path }) => path).sort();
  if (JSON.stringify(paths) !== JSON.stringify(Object.values(FILES).sort()))
    throw corruptBackup('its list of files is not complete');
  for (const file of part.files) await checkFile(folder, file);
  const schema = await readSchemaFile(folder);
  const graphHash = createGraphHash();
  let records = 0;
  try {
    graphHash.addSchema(schema);
    for await (const { node } of readNodes(folder)) {
      decodeProperties(node.properties);
      graphHash.addNode(node);
      records++;
      if (records % PROGRESS_EVERY === 0) signal?.throwIfAborted();
    }
    for await (const { relationship } of readRelationships(folder)) {
      decodeProperties(relationship.properties);
      if (!graphHash.addRelationship(relationship)) throw corruptBackup('a relationship has no end');
      records++;
      if (records % PROGRESS_EVERY === 0) signal?.throwIfAborted();
    }
    const fingerprint = graphHash.result();
    expectFingerprint(part, fingerprint, 'its content');
    return { records, schema, fingerprint };
  } finally {
    graphHash.close();
  }
}
