import { isDeepStrictEqual } from 'node:util';
import type { EndImage, RelationshipChange, RelationshipSide } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import { type Encoded, encodeProperties, encodeValue } from './encode.ts';
import type { Expression } from './expression.ts';
import { escapeName, isInternalName } from './name.ts';
import {
  inKeyOrder,
  patternOf,
  type RelationshipCursor,
  type RelationshipSelection,
  textKey,
} from './relationship-selection.ts';
import { cypher, type Statement } from './statement.ts';
import { STAMP } from './whole-nodes.ts';

/** A relationship that was found, by the keys of its ends. The ids are Neo4j's own, good within the transaction only. */
export interface FoundRelationship {
  readonly id: bigint;
  readonly from: { readonly id: bigint; readonly key: string };
  readonly to: { readonly id: bigint; readonly key: string };
}

/** The same, locked, as it stands, with what the expressions give for it. */
export interface RelationshipRow extends FoundRelationship {
  readonly side: RelationshipSide;
  readonly computed: readonly Encoded[];
}

/** Takes the stamp out of a relationship's properties as they came from the driver. */
export function toSide(type: string, properties: { readonly [property: string]: unknown }): RelationshipSide {
  const { [STAMP]: stamp, ...rest } = properties;
  const visible = Object.entries(rest).filter(([name]) => !isInternalName(name));
  return {
    type,
    stamp: typeof stamp === 'string' ? stamp : null,
    properties: encodeProperties(Object.fromEntries(visible)),
  };
}

export function toRelationshipChange(
  { from, to }: RelationshipSelection,
  found: FoundRelationship,
  before: RelationshipSide | null,
  after: RelationshipSide | null,
): RelationshipChange {
  const [start, end]: [EndImage, EndImage] = [
    { ...from, value: found.from.key },
    { ...to, value: found.to.key },
  ];
  return { form: 'relationship', key: start.value, from: start, to: end, before, after };
}

/** Takes the write locks of nodes, or of relationships, in the order of the ids as given. */
export async function lockInOrder(
  transaction: GraphTransaction,
  what: 'nodes' | 'relationships',
  ids: Iterable<bigint>,
): Promise<void> {
  const match = what === 'nodes' ? 'MATCH (x) WHERE id(x)' : 'MATCH ()-[x]->() WHERE id(x)';
  await transaction.run(`UNWIND $ids AS id ${match} = id SET x._tas_lock = true REMOVE x._tas_lock`, {
    ids: [...new Set(ids)],
  });
}

/** Both ends of all rows, in key order where both have the same label, else first those where they begin. */
function endsInOrder({ from, to }: RelationshipSelection, rows: readonly FoundRelationship[]): bigint[] {
  const byKey = (ends: readonly FoundRelationship['from'][]) =>
    ends.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ id }) => id);
  const [starts, ends] = [rows.map((row) => row.from), rows.map((row) => row.to)];
  return isDeepStrictEqual(from, to) ? byKey([...starts, ...ends]) : [...byKey(starts), ...byKey(ends)];
}

/**
 * Finds the next relationships and locks them, then their ends; what is read of them afterwards stays true. In this order,
 * since whoever deletes a relationship takes its own lock at once and those of its ends when he commits.
 */
export async function lockNextRelationships(
  transaction: GraphTransaction,
  selection: RelationshipSelection,
  { from, to, id }: RelationshipCursor,
  size: number,
): Promise<FoundRelationship[]> {
  const [fromKey, toKey] = [`a.${escapeName(selection.from.key)}`, `b.${escapeName(selection.to.key)}`];
  const tail = `RETURN collect([id(a), ${fromKey}, id(b), ${toKey}, id(r)])`;
  const { text } = inKeyOrder(selection, true, tail);
  const [[found]] = (await transaction.run(text, { from, to, id, size: BigInt(size) })) as [
    [[bigint, unknown, bigint, unknown, bigint][]],
  ];
  const rows = found.map(
    ([start, startKey, end, endKey, relationship]): FoundRelationship => ({
      id: relationship,
      from: { id: start, key: textKey(selection.from, startKey) },
      to: { id: end, key: textKey(selection.to, endKey) },
    }),
  );
  await lockInOrder(
    transaction,
    'relationships',
    rows.map((row) => row.id),
  );
  await lockInOrder(transaction, 'nodes', endsInOrder(selection, rows));
  return rows;
}

/** Rows of ids → ids, properties, computed values; only of relationships for which the condition (still) holds. */
export function evaluationOf(selection: RelationshipSelection, expressions: readonly Expression[]): Statement {
  return cypher`UNWIND $ids AS _tas_row MATCH ${patternOf(selection)} WHERE id(r) = _tas_row
WITH a, r, b WHERE ${selection.where}
RETURN collect([id(r), properties(r), [${expressions}]])`;
}

/** Reads locked relationships anew; those that are gone, or do not fulfil the condition any more, are left out. */
export async function evaluateRelationships(
  transaction: GraphTransaction,
  selection: RelationshipSelection,
  evaluation: Statement,
  found: readonly FoundRelationship[],
): Promise<RelationshipRow[]> {
  const [[answer]] = (await transaction.run(evaluation.text, { ids: found.map(({ id }) => id) })) as [
    [[bigint, { [property: string]: unknown }, unknown[]][]],
  ];
  const read = new Map(answer.map(([id, properties, computed]) => [id, { properties, computed }]));
  return found.flatMap((row) => {
    const now = read.get(row.id);
    if (!now) return [];
    return [{ ...row, side: toSide(selection.type, now.properties), computed: now.computed.map(encodeValue) }];
  });
}

/** Writes properties (null removes); returns them as stored, in the order of the updates. */
export async function updateRelationships(
  transaction: GraphTransaction,
  updates: readonly { readonly id: bigint; readonly properties: { readonly [property: string]: unknown } }[],
): Promise<{ [property: string]: unknown }[]> {
  if (updates.length === 0) return [];
  const statement = `UNWIND $rows AS row MATCH ()-[r]->() WHERE id(r) = row[0] SET r += row[1]
    RETURN collect([id(r), properties(r)])`;
  const rows = updates.map(({ id, properties }) => [id, properties]);
  const [[stored]] = (await transaction.run(statement, { rows })) as [[[bigint, { [property: string]: unknown }][]]];
  const byId = new Map(stored);
  return updates.map(({ id }) => byId.get(id) as { [property: string]: unknown });
}

/** Reads relationships by id; those that are gone are left out. */
export async function readSides(
  transaction: GraphTransaction,
  ids: readonly bigint[],
): Promise<Map<bigint, RelationshipSide>> {
  const statement =
    'UNWIND $ids AS id MATCH ()-[r]->() WHERE id(r) = id RETURN collect([id(r), type(r), properties(r)])';
  const [[rows]] = (await transaction.run(statement, { ids })) as [[[bigint, string, object][]]];
  return new Map(rows.map(([id, type, properties]) => [id, toSide(type, { ...properties })]));
}
