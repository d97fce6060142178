import { canonicalJson } from '../../shared/json.ts';
import type { GraphTransaction } from './connection.ts';
import { type Encoded, encodeValue, sameValue } from './encode.ts';
import { type Computed, evaluateRecords } from './evaluation.ts';
import { findByKeys, type LockedRecord } from './records.ts';
import type { Statement } from './statement.ts';
import {
  type KeyRule,
  readWholeNodes,
  visibleProperties,
  type WholeNode,
  type WholeRelationship,
} from './whole-nodes.ts';

/** Which copy a record should have: under this label, with the record's own key. */
export interface CopyRule {
  readonly from: KeyRule;
  readonly to: KeyRule;
  /** What the copy should hold; null = every property of the record. */
  readonly computed: Computed | null;
  /** Properties of the copy that are its own. */
  readonly ignored: ReadonlySet<string>;
  /** Rows `[id, digits]` → id and the values of `computed`, where the condition still holds. */
  readonly evaluate: Statement;
}

export interface Compared {
  /** Records for which the condition holds, with everything that hangs on them; those whose copy is there and equal. */
  readonly equal: readonly { readonly record: LockedRecord; readonly node: WholeNode }[];
  /** The others, and why. */
  readonly unequal: readonly { readonly key: string; readonly why: string }[];
}

/** A relationship as it counts for being equal: what leads to the node itself is the same as what leads to its copy. */
function nameOf({ type, direction, properties, otherId }: WholeRelationship, self: bigint): string {
  return canonicalJson([type, direction, properties, otherId === self ? 'itself' : String(otherId)]);
}

function missesRelationships(node: WholeNode, copy: WholeNode): boolean {
  const there = new Map<string, number>();
  for (const relationship of copy.relationships) {
    const name = nameOf(relationship, copy.id);
    there.set(name, (there.get(name) ?? 0) + 1);
  }
  for (const relationship of node.relationships) {
    if (relationship.otherId === copy.id) continue;
    const name = nameOf(relationship, node.id);
    const left = there.get(name) ?? 0;
    if (left === 0) return true;
    there.set(name, left - 1);
  }
  return false;
}

/** Why the copy does not stand for the node; null when it does. What the copy has beyond it does not matter. */
function differenceOf(
  node: WholeNode,
  copy: WholeNode,
  wanted: { readonly [property: string]: Encoded },
  ignored: ReadonlySet<string>,
): string | null {
  const names = Object.keys(wanted).filter((name) => {
    if (ignored.has(name)) return false;
    return !sameValue(wanted[name] ?? null, copy.properties[name] ?? null);
  });
  if (names.length > 0) return `differs in ${names.sort().join(', ')}`;
  return missesRelationships(node, copy) ? 'its copy misses a relationship' : null;
}

/** Compares records with their copies, relationships included; with purpose `lock` the copies are locked, too. */
export async function compareWithCopies(
  transaction: GraphTransaction,
  rule: CopyRule,
  records: readonly LockedRecord[],
  keys: readonly string[],
  purpose: 'lock' | 'look',
): Promise<Compared> {
  const copyIds = await findByKeys(
    transaction,
    rule.to,
    records.map(({ key }) => key),
    purpose,
  );
  const values = await evaluateRecords(transaction, rule.evaluate, records, 0n);
  const held = records.filter(({ id }) => values.has(id));
  const nodes = await readWholeNodes(
    transaction,
    held.map(({ id }) => id),
    keys,
  );
  const copies = await readWholeNodes(transaction, [...copyIds.values()], []);
  const equal: { record: LockedRecord; node: WholeNode }[] = [];
  const unequal: { key: string; why: string }[] = [];
  for (const record of held) {
    const node = nodes.get(record.id);
    if (!node) continue;
    const copyId = copyIds.get(record.key);
    const copy = copyId === undefined || copyId === record.id ? undefined : copies.get(copyId);
    const computed = values.get(record.id) ?? [];
    const wanted = rule.computed
      ? Object.fromEntries(rule.computed.properties.map((name, i) => [name, encodeValue(computed[i])]))
      : visibleProperties(node.properties);
    const why = copy ? differenceOf(node, copy, wanted, rule.ignored) : 'has no copy';
    if (why === null) equal.push({ record, node });
    else unequal.push({ key: record.key, why });
  }
  return { equal, unequal };
}
