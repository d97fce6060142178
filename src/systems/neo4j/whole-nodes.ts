import { randomUUID } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import type { NodeImage, RelationshipImage } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import { type Encoded, encodeProperties } from './encode.ts';
import { escapeName, isInternalName } from './name.ts';
import { LOCK, type LockedRecord, lockNext, refuseKey, type Selection, selectStatement } from './records.ts';

/** How a node is told apart from others: a label and a property that is unique in it. */
export interface KeyRule {
  readonly label: string;
  readonly key: string;
}

/** A relationship of a node as it was read. Internal ids are good within the transaction only. */
export interface WholeRelationship {
  readonly id: bigint;
  readonly type: string;
  /** As seen from the node. A loop is `out`. */
  readonly direction: 'out' | 'in';
  readonly properties: RelationshipImage['properties'];
  readonly otherId: bigint;
  readonly otherLabels: readonly string[];
  /** The other end's values of the properties that were asked for. */
  readonly otherValues: { readonly [property: string]: unknown };
}

/** A node with everything that hangs on it. */
export interface WholeNode {
  readonly id: bigint;
  /** Sorted. */
  readonly labels: readonly string[];
  readonly properties: NodeImage['properties'];
  readonly relationships: readonly WholeRelationship[];
}

/** What a node without a unique key of its own is told apart by: stamped in the transaction that first needs it. */
export const STAMP = '_tas_id';

/** The uniqueness constraints over one property, as ways to name a node; the given ones first. */
export async function identityRules(transaction: GraphTransaction, first: readonly KeyRule[]): Promise<KeyRule[]> {
  const rows = await transaction.run(
    `SHOW CONSTRAINTS YIELD type, entityType, labelsOrTypes, properties
     WHERE entityType = 'NODE' AND type IN ['UNIQUENESS', 'NODE_KEY'] AND size(properties) = 1
     RETURN labelsOrTypes[0], properties[0] ORDER BY labelsOrTypes[0], properties[0]`,
  );
  const rules = rows.map(([label, key]) => ({ label: label as string, key: key as string }));
  return [...first, ...rules.filter(({ label }) => !isInternalName(label))];
}

/** The next records in key order, locked or only looked at. */
export async function nextRecords(
  transaction: GraphTransaction,
  selection: Selection,
  page: { readonly after: string | null; readonly size: number },
  purpose: 'lock' | 'look',
): Promise<LockedRecord[]> {
  const { after, size } = page;
  if (purpose === 'lock') return lockNext(transaction, selection, after, size);
  const { text } = selectStatement(selection, `LIMIT $size RETURN id(n), n.${escapeName(selection.key)}`, after);
  const rows = await transaction.run(text, { size: BigInt(size), after });
  return rows.map(([id, key], i) => {
    if (typeof key !== 'string') throw refuseKey(selection, 'is missing or not text in some records');
    if (key === rows[i - 1]?.[1]) throw refuseKey(selection, 'is not unique');
    return { id: id as bigint, key };
  });
}

type RelationshipRow = [bigint, string, boolean, object, bigint, string[], unknown[]];
type NodeRow = [bigint, string[], { [property: string]: unknown }, RelationshipRow[]];

interface ReadWhole {
  /** Relationships of a node that are read at most; null or absent = all. */
  readonly limit?: number | null;
  /** Leaves the nodes' own labels and properties empty. */
  readonly relationshipsOnly?: boolean;
}

/** Reads nodes with their relationships. `keys` = properties of the other ends that are wanted. */
export async function readWholeNodes(
  transaction: GraphTransaction,
  ids: readonly bigint[],
  keys: readonly string[],
  { limit = null, relationshipsOnly = false }: ReadWhole = {},
): Promise<Map<bigint, WholeNode>> {
  const own = relationshipsOnly ? '[] AS labels, {} AS properties' : 'labels(n) AS labels, properties(n) AS properties';
  const statement = `MATCH (n) WHERE id(n) IN $ids WITH id(n) AS id, ${own},
    COLLECT { MATCH (n)-[r]-(o) RETURN [id(r), type(r), startNode(r) = n, properties(r), id(o), labels(o), [key IN $keys | o[key]]]
      ${limit === null ? '' : 'LIMIT $limit'} } AS relationships
    RETURN collect([id, labels, properties, relationships])`;
  const [[rows]] = (await transaction.run(statement, { ids, keys, limit: BigInt(limit ?? 0) })) as [[NodeRow[]]];
  return new Map(
    rows.map(([id, labels, properties, relationships]) => {
      const read = relationships.map(
        ([relationship, type, out, values, otherId, otherLabels, otherValues]): WholeRelationship => ({
          id: relationship,
          type,
          direction: out ? 'out' : 'in',
          properties: encodeProperties({ ...values }),
          otherId,
          otherLabels,
          otherValues: Object.fromEntries(keys.map((key, i) => [key, otherValues[i]])),
        }),
      );
      const node: WholeNode = {
        id,
        labels: labels.toSorted(),
        properties: encodeProperties(properties),
        relationships: read,
      };
      return [node.id, node];
    }),
  );
}

type End = RelationshipImage['other'];

function endByRule({ otherLabels, otherValues }: WholeRelationship, rules: readonly KeyRule[]): End | undefined {
  for (const { label, key } of rules) {
    const value = otherValues[key];
    if (otherLabels.includes(label) && typeof value === 'string') return { label, key, value };
  }
  const stamp = otherValues[STAMP];
  const label = [...otherLabels].sort()[0];
  return label !== undefined && typeof stamp === 'string' ? { label, key: STAMP, value: stamp } : undefined;
}

/** The properties to ask the other ends for, so that these rules can name them. */
export function endKeys(rules: readonly KeyRule[]): string[] {
  return [...new Set([...rules.map(({ key }) => key), STAMP])];
}

function refuseNameless(): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: 'A relationship leads to a node without any label, which could not be found again for an undo.',
    advice: 'This batch was rolled back. Give such nodes a label, then ask again.',
  });
}

/** Names the other end of each relationship; ends that nothing names yet are stamped, once and for all. */
export async function nameEnds(
  transaction: GraphTransaction,
  nodes: Iterable<WholeNode>,
  rules: readonly KeyRule[],
): Promise<(relationship: WholeRelationship) => End> {
  const nameless = new Map<bigint, WholeRelationship>();
  for (const { relationships } of nodes) {
    for (const relationship of relationships) {
      if (endByRule(relationship, rules) === undefined) nameless.set(relationship.otherId, relationship);
    }
  }
  const stamped = new Map<bigint, End>();
  if (nameless.size > 0) {
    if ([...nameless.values()].some(({ otherLabels }) => otherLabels.length === 0)) throw refuseNameless();
    const ids = [...nameless.keys()];
    await transaction.run(`MATCH (n) WHERE id(n) IN $ids WITH n ORDER BY id(n) ${LOCK}`, { ids });
    const statement = `UNWIND $rows AS row MATCH (n) WHERE id(n) = row[0]
      SET n.${STAMP} = coalesce(n.${STAMP}, row[1]) RETURN id(n), labels(n), n.${STAMP}`;
    for (const [id, labels, value] of await transaction.run(statement, { rows: ids.map((id) => [id, randomUUID()]) })) {
      stamped.set(id as bigint, {
        label: [...(labels as string[])].sort()[0] as string,
        key: STAMP,
        value: String(value),
      });
    }
  }
  return (relationship) => {
    const end = endByRule(relationship, rules) ?? stamped.get(relationship.otherId);
    if (!end) throw refuseNameless();
    return end;
  };
}

/** The node's image for the journal. */
export function imageOf(node: WholeNode, endOf: (relationship: WholeRelationship) => End): NodeImage {
  return {
    labels: node.labels,
    properties: node.properties,
    relationships: node.relationships.map((relationship) => ({
      type: relationship.type,
      direction: relationship.direction,
      other: endOf(relationship),
      properties: relationship.properties,
    })),
  };
}

/** Properties without the bot's own. */
export function visibleProperties(properties: { readonly [property: string]: Encoded }): {
  [property: string]: Encoded;
} {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !isInternalName(name)));
}

/** Deletes nodes and the relationships that were read of them, and no others. */
export async function deleteWholeNodes(transaction: GraphTransaction, nodes: readonly WholeNode[]): Promise<void> {
  const relationships = [...new Set(nodes.flatMap((node) => node.relationships.map(({ id }) => id)))];
  await transaction.run('MATCH ()-[r]->() WHERE id(r) IN $ids DELETE r', { ids: relationships });
  // Not DETACH: what somebody attached at this moment makes the batch fail, and the next try sees it.
  await transaction.run('MATCH (n) WHERE id(n) IN $ids DELETE n', { ids: nodes.map(({ id }) => id) });
}
