import type { NodeImage, RelationshipImage } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import { decodeProperties, encodeProperties } from './encode.ts';
import { escapeLabels, escapeName } from './name.ts';

/** A node to be made. */
interface NewNode {
  readonly labels: readonly string[];
  readonly properties: { readonly [property: string]: unknown };
}

/** A relationship to be made, its ends by internal id. */
interface NewRelationship {
  readonly node: bigint;
  readonly other: bigint;
  readonly type: string;
  readonly direction: 'out' | 'in';
  readonly properties: { readonly [property: string]: unknown };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  return [...Map.groupBy(items, keyOf).values()];
}

/** Makes nodes; returns their internal ids and properties as stored, in the same order. */
export async function createNodeRecords(
  transaction: GraphTransaction,
  nodes: readonly NewNode[],
): Promise<{ id: bigint; properties: NodeImage['properties'] }[]> {
  const made: { id: bigint; properties: NodeImage['properties'] }[] = [];
  const numbered = nodes.map((node, i) => ({ node, i }));
  for (const group of groupBy(numbered, ({ node }) => JSON.stringify(node.labels))) {
    const labels = escapeLabels(group[0]?.node.labels ?? []);
    const rows = group.map(({ node, i }) => [BigInt(i), node.properties]);
    const statement = `UNWIND $rows AS row CREATE (n${labels}) SET n = row[1]
      RETURN collect([row[0], id(n), properties(n)])`;
    const [[answer]] = (await transaction.run(statement, { rows })) as [
      [[bigint, bigint, { [property: string]: unknown }][]],
    ];
    for (const [i, id, properties] of answer) made[Number(i)] = { id, properties: encodeProperties(properties) };
  }
  return made;
}

/** Makes relationships between nodes that are there. */
export async function createRelationshipRecords(
  transaction: GraphTransaction,
  relationships: readonly NewRelationship[],
): Promise<void> {
  for (const group of groupBy(relationships, ({ type, direction }) => `${direction}${type}`)) {
    const [{ type, direction }] = group as [NewRelationship];
    const name = escapeName(type);
    const pattern = direction === 'out' ? `(n)-[r:${name}]->(o)` : `(n)<-[r:${name}]-(o)`;
    await transaction.run(
      `UNWIND $rows AS row MATCH (n) WHERE id(n) = row[0] MATCH (o) WHERE id(o) = row[1] CREATE ${pattern} SET r = row[2]`,
      { rows: group.map(({ node, other, properties }) => [node, other, properties]) },
    );
  }
}

/** The ends that images name, by label, key and value; those that are gone are left out. */
export async function findEnds(
  transaction: GraphTransaction,
  images: readonly RelationshipImage[],
): Promise<(image: RelationshipImage) => bigint | undefined> {
  const found = new Map<string, bigint>();
  const nameOf = ({ other }: RelationshipImage) => JSON.stringify([other.label, other.key, other.value]);
  for (const group of groupBy(images, ({ other }) => JSON.stringify([other.label, other.key]))) {
    const [{ other }] = group as [RelationshipImage];
    const key = escapeName(other.key);
    const statement = `MATCH (o:${escapeName(other.label)}) WHERE o.${key} IN $values RETURN o.${key}, id(o)`;
    for (const [value, id] of await transaction.run(statement, { values: group.map((image) => image.other.value) })) {
      found.set(JSON.stringify([other.label, other.key, value]), id as bigint);
    }
  }
  return (image) => found.get(nameOf(image));
}

export function decodeImage(image: NodeImage): NewNode {
  return { labels: image.labels, properties: decodeProperties(image.properties) };
}
