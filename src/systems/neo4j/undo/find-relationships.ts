import { canonicalJson } from '../../../shared/json.ts';
import type { EndImage, RelationshipSide } from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { decodeProperties } from '../encode.ts';
import { findByKeys } from '../records.ts';
import { lockInOrder, readSides } from '../relationship-rows.ts';
import { STAMP } from '../whole-nodes.ts';

/** A relationship as a run left it. */
export interface LeftRelationship {
  readonly from: EndImage;
  readonly to: EndImage;
  /** Null where the run left none: then only its ends are looked for. */
  readonly side: RelationshipSide | null;
}

/** Where it is now. Undefined = gone. */
export interface Standing {
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  readonly now: { readonly id: bigint; readonly side: RelationshipSide } | undefined;
}

const endName = ({ label, key, value }: EndImage) => JSON.stringify([label, key, value]);

async function findEnds(
  transaction: GraphTransaction,
  left: readonly LeftRelationship[],
  purpose: 'lock' | 'look',
): Promise<Map<string, bigint>> {
  const ids = new Map<string, bigint>();
  const ends = [...left.map(({ from }) => from), ...left.map(({ to }) => to)];
  for (const group of Map.groupBy(ends, ({ label, key }) => JSON.stringify([label, key])).values()) {
    const [rule] = group as [EndImage];
    const values = [...new Set(group.map(({ value }) => value))];
    for (const [value, id] of await findByKeys(transaction, rule, values, purpose)) {
      ids.set(endName({ ...rule, value }), id);
    }
  }
  return ids;
}

/** One that is looked for, both of its ends being there. */
interface Sought {
  readonly index: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly side: RelationshipSide;
}

/** Finds by stamp, one look at each node where they begin: it may have very many relationships. */
async function findByStamp(transaction: GraphTransaction, sought: readonly Sought[]): Promise<Map<number, bigint>> {
  const rows = [...Map.groupBy(sought, ({ from }) => from)].map(([from, group]) => [
    from,
    group.map(({ side }) => side.stamp),
  ]);
  const statement = `UNWIND $rows AS row MATCH (a) WHERE id(a) = row[0] MATCH (a)-[r]->(b) WHERE r.${STAMP} IN row[1]
    RETURN collect([id(a), id(b), r.${STAMP}, type(r), id(r)])`;
  const [[answer]] = (await transaction.run(statement, { rows })) as [[[bigint, bigint, string, string, bigint][]]];
  const name = (from: bigint, to: bigint, stamp: string) => `${from} ${to} ${stamp}`;
  const candidates = Map.groupBy(answer, ([from, to, stamp]) => name(from, to, stamp));
  const found = new Map<number, bigint>();
  for (const { index, from, to, side } of sought) {
    // Somebody may have copied the properties of a relationship, stamp and all: then the one of our type is ours.
    const same = candidates.get(name(from, to, side.stamp as string)) ?? [];
    const at = Math.max(
      0,
      same.findIndex(([, , , type]) => type === side.type),
    );
    const [taken] = same.splice(at, 1);
    if (taken) found.set(index, taken[4]);
  }
  return found;
}

/** The unstamped relationships of a type between two nodes, those with the very properties or all of them. */
async function findUnstamped(
  transaction: GraphTransaction,
  groups: readonly (readonly Sought[])[],
  exact: boolean,
): Promise<bigint[][]> {
  const rows = groups.map((group) => {
    const [{ from, to, side }] = group as [Sought];
    const count = BigInt(exact ? group.length : AMBIGUOUS);
    return [from, to, side.type, decodeProperties(side.properties), count];
  });
  const statement = `UNWIND $rows AS row MATCH (a) WHERE id(a) = row[0] MATCH (b) WHERE id(b) = row[1]
    RETURN COLLECT { MATCH (a)-[r]->(b) WHERE type(r) = row[2] AND r.${STAMP} IS NULL
      ${exact ? 'AND properties(r) = row[3]' : ''} RETURN id(r) ORDER BY id(r) }[..row[4]]`;
  return (await transaction.run(statement, { rows })).map(([ids]) => ids as bigint[]);
}

/** Candidates that are read at most where the properties say no more which one it is: more than one says nothing. */
const AMBIGUOUS = 1000;

/**
 * Finds what has no stamp (any more): by its properties, parallel ones that are equal being one as good as the other; then
 * the only one that is left between its ends.
 */
async function findByImage(
  transaction: GraphTransaction,
  sought: readonly Sought[],
  taken: Set<bigint>,
): Promise<Map<number, bigint>> {
  const found = new Map<number, bigint>();
  const claim = (one: Sought, id: bigint) => {
    taken.add(id);
    found.set(one.index, id);
  };
  const pair = ({ from, to, side }: Sought) => JSON.stringify([String(from), String(to), side.type]);
  const image = (one: Sought) => `${pair(one)} ${canonicalJson(one.side.properties)}`;
  const equal = [...Map.groupBy(sought, image).values()];
  for (const [i, ids] of (await findUnstamped(transaction, equal, true)).entries()) {
    const group = equal[i] as Sought[];
    for (const [j, id] of ids.entries()) claim(group[j] as Sought, id);
  }
  const rest = sought.filter(({ index }) => !found.has(index));
  if (rest.length === 0) return found;
  const pairs = [...Map.groupBy(rest, pair).values()];
  for (const [i, ids] of (await findUnstamped(transaction, pairs, false)).entries()) {
    const free = ids.filter((id) => !taken.has(id));
    const [one, ...more] = pairs[i] as [Sought, ...Sought[]];
    if (more.length === 0 && free.length === 1) claim(one, free[0] as bigint);
  }
  return found;
}

/** Finds relationships as a run left them; with purpose `lock` what is found stays so until the end. */
export async function findRelationships(
  transaction: GraphTransaction,
  left: readonly LeftRelationship[],
  purpose: 'lock' | 'look',
): Promise<Standing[]> {
  const ends = await findEnds(transaction, left, 'look');
  const sought = left.flatMap(({ from, to, side }, index): Sought[] => {
    const [start, end] = [ends.get(endName(from)), ends.get(endName(to))];
    return side === null || start === undefined || end === undefined ? [] : [{ index, from: start, to: end, side }];
  });
  const stamped = sought.filter(({ side }) => side.stamp !== null);
  const found = stamped.length > 0 ? await findByStamp(transaction, stamped) : new Map<number, bigint>();
  const rest = sought.filter(({ index }) => !found.has(index));
  const more = rest.length > 0 ? await findByImage(transaction, rest, new Set(found.values())) : new Map();
  for (const [index, id] of more) found.set(index, id);
  const ids = [...found.values()].sort((a, b) => (a < b ? -1 : 1));
  // The relationships first, as where they were written; an end that went meanwhile is found to be gone.
  if (purpose === 'lock') await lockInOrder(transaction, 'relationships', ids);
  const held = purpose === 'lock' ? await findEnds(transaction, left, 'lock') : ends;
  const sides = await readSides(transaction, ids);
  return left.map(({ from, to }, index) => {
    const [start, end] = [held.get(endName(from)), held.get(endName(to))];
    const id = found.get(index);
    const side = id === undefined ? undefined : sides.get(id);
    const moved = start !== ends.get(endName(from)) || end !== ends.get(endName(to));
    const now = id === undefined || side === undefined || moved ? undefined : { id, side };
    return { from: start, to: end, now };
  });
}
