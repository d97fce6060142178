import { randomUUID } from 'node:crypto';
import { Failure } from '../../shared/failure.ts';
import type { RelationshipChange, RelationshipSide } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import type { Encoded } from './encode.ts';
import { escapeName } from './name.ts';
import { decodeFill, type Fill, fillOf } from './relationship-fill.ts';
import {
  type FoundRelationship,
  lockInOrder,
  type RelationshipRow,
  readSides,
  toRelationshipChange,
  toSide,
  updateRelationships,
} from './relationship-rows.ts';
import type { RelationshipCursor, RelationshipSelection } from './relationship-selection.ts';
import { STAMP } from './whole-nodes.ts';

/** What happens to a relationship whose ends have one of the new type already. */
export type WhenThere = 'merge' | 'keep-both' | 'refuse';

/** Relationships that get another type. */
export interface Retyping {
  readonly selection: RelationshipSelection;
  readonly fill: Fill;
  readonly type: string;
  readonly whenThere: WhenThere;
}

/** The relationship of the new type that was between two nodes before the step, by the nodes; those without are left out. */
type Targets = ReadonlyMap<string, bigint>;

function pairOf({ from, to }: FoundRelationship): string {
  return `${from.id} ${to.id}`;
}

function isOf({ from, to }: FoundRelationship, cursor: RelationshipCursor): boolean {
  return from.key === cursor.from && to.key === cursor.to;
}

/**
 * Looks for relationships of the new type. Of the pair in which the batch before ended that one has said whether there was
 * any: those that are there by now may be of its own making.
 */
export async function findTargets(
  transaction: GraphTransaction,
  type: string,
  found: readonly FoundRelationship[],
  cursor: RelationshipCursor,
): Promise<Targets> {
  const asked = found.filter((row) => cursor.there || !isOf(row, cursor));
  const pairs = [...new Map(asked.map((row) => [pairOf(row), [row.from.id, row.to.id]])).values()];
  const statement = `UNWIND $pairs AS pair MATCH (a) WHERE id(a) = pair[0] MATCH (b) WHERE id(b) = pair[1]
    RETURN collect([id(a), id(b), COLLECT { MATCH (a)-[x:${escapeName(type)}]->(b) RETURN id(x) ORDER BY id(x) LIMIT 1 }])`;
  const [[rows]] = (await transaction.run(statement, { pairs })) as [[[bigint, bigint, bigint[]][]]];
  return new Map(rows.flatMap(([from, to, [id]]) => (id === undefined ? [] : [[`${from} ${to}`, id] as const])));
}

/** Whether the pair of this relationship had one of the new type before the step. */
export function hadTarget(targets: Targets, row: FoundRelationship): boolean {
  return targets.has(pairOf(row));
}

export function refuseThere({ selection, type }: Retyping, rows: readonly RelationshipRow[], targets: Targets): void {
  if (!rows.some((row) => hadTarget(targets, row))) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `Some nodes have a ${type} beside the ${selection.type} that would become one.`,
    advice: 'This batch was rolled back. Correct them, or say `whenThere: merge` or `keep-both`; then ask again.',
  });
}

/** Makes each anew under the new type, with its properties, and takes the old one away. */
export async function retype(
  transaction: GraphTransaction,
  { selection, fill, type }: Retyping,
  rows: readonly RelationshipRow[],
): Promise<RelationshipChange[]> {
  if (rows.length === 0) return [];
  const statement = `UNWIND $rows AS row MATCH (a)-[r]->(b) WHERE id(r) = row[0]
    CREATE (a)-[x:${escapeName(type)}]->(b) SET x = properties(r) SET x += row[1]
    DELETE r RETURN collect([row[0], properties(x)])`;
  const wanted = rows.map(({ id, side, computed }) => [
    id,
    { ...decodeFill(fillOf(fill, side, computed)), [STAMP]: side.stamp ?? randomUUID() },
  ]);
  const [[answer]] = (await transaction.run(statement, { rows: wanted })) as [
    [[bigint, { [property: string]: unknown }][]],
  ];
  const made = new Map(answer);
  return rows.map((row) => {
    const after = toSide(type, made.get(row.id) as { [property: string]: unknown });
    return toRelationshipChange(selection, row, row.side, after);
  });
}

/** Gives the one that is there what it lacks, and takes the old one away. What it has stays as it is. */
export async function merge(
  transaction: GraphTransaction,
  { selection, fill }: Retyping,
  rows: readonly RelationshipRow[],
  targets: Targets,
): Promise<RelationshipChange[]> {
  if (rows.length === 0) return [];
  const ids = [...new Set(rows.map((row) => targets.get(pairOf(row)) as bigint))];
  await lockInOrder(
    transaction,
    'relationships',
    ids.toSorted((a, b) => (a < b ? -1 : 1)),
  );
  const sides = await readSides(transaction, ids);
  const lacking = new Map<bigint, { row: RelationshipRow; values: { [property: string]: Encoded } }>();
  const changes: RelationshipChange[] = [];
  for (const row of rows) {
    const id = targets.get(pairOf(row)) as bigint;
    const { properties } = sides.get(id) as RelationshipSide;
    const target = lacking.get(id) ?? { row, values: Object.create(null) as { [property: string]: Encoded } };
    lacking.set(id, target);
    const given = { ...row.side.properties, ...fillOf(fill, row.side, row.computed) };
    for (const [name, value] of Object.entries(given)) {
      if (properties[name] === undefined && target.values[name] === undefined) target.values[name] = value;
    }
    changes.push(toRelationshipChange(selection, row, row.side, null));
  }
  const filled = [...lacking].filter(([, { values }]) => Object.keys(values).length > 0);
  const stored = await updateRelationships(
    transaction,
    filled.map(([id, { values }]) => {
      const stamp = (sides.get(id) as RelationshipSide).stamp ?? randomUUID();
      return { id, properties: { ...decodeFill(values), [STAMP]: stamp } };
    }),
  );
  for (const [i, [id, { row }]] of filled.entries()) {
    const before = sides.get(id) as RelationshipSide;
    changes.push(toRelationshipChange(selection, row, before, toSide(before.type, stored[i] ?? {})));
  }
  await transaction.run('UNWIND $ids AS id MATCH ()-[r]->() WHERE id(r) = id DELETE r', {
    ids: rows.map(({ id }) => id),
  });
  return changes;
}
