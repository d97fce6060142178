import type { Conflict, UndoContext } from '../../system.ts';
import type { Store } from '../batch.ts';
import type { BatchBody, Change } from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { decodeValue, type Encoded, encodeProperties, sameValue } from '../encode.ts';
import { escapeName } from '../name.ts';
import { LOCK, refuseKey } from '../records.ts';
import { textOf } from '../show-value.ts';
import { type CurrentRecord, compareFields, keepTogether, toChange, type Verdict, withdraw } from './judge-fields.ts';
import { takenOf, withdrawTornApart } from './taken.ts';
import { takenValues, uniqueRules } from './value-holders.ts';

type FieldsChange = Extract<Change, { form: 'fields' }>;

/** What an undo would do: its changes, and what it leaves with the reason. */
export interface Judgement<Form extends Change = Change> {
  readonly changes: readonly { readonly id: bigint | null; readonly change: Form }[];
  readonly conflicts: readonly Conflict[];
}

/** Reads the records with these keys, locked first in key order where it is asked; those that are gone are left out. */
async function readCurrent(
  transaction: GraphTransaction,
  { label, key }: { readonly label: string; readonly key: string },
  keys: readonly string[],
  properties: readonly string[],
  purpose: 'lock' | 'look',
): Promise<Map<string, CurrentRecord>> {
  const property = `n.${escapeName(key)}`;
  const projection = properties.map((name) => `.${escapeName(name)}`).join(', ');
  // Taken out of a list, the nodes are read anew: what was read before the lock may be stale. One row: far quicker.
  const statement = `MATCH (n:${escapeName(label)}) WHERE ${property} IN $keys WITH n ORDER BY ${property}
    ${purpose === 'lock' ? LOCK : ''} WITH collect(n) AS nodes UNWIND nodes AS n
    RETURN collect([${property}, id(n), labels(n), n {${projection}}])`;
  const [[rows]] = (await transaction.run(statement, { keys })) as [[[string, bigint, string[], object][]]];
  const current = new Map<string, CurrentRecord>();
  for (const [value, id, labels, values] of rows) {
    if (current.has(value)) throw refuseKey({ label, key }, 'is not unique');
    current.set(value, { id, labels, values: encodeProperties({ ...values }) });
  }
  return current;
}

/** Values that newer records refer to stay. */
export async function withdrawHeld(
  store: Store,
  context: UndoContext,
  collection: string,
  verdicts: readonly Verdict[],
): Promise<void> {
  const fields = new Set(verdicts.flatMap(({ open }) => [...open]));
  for (const field of fields) {
    const ours = ({ written }: Verdict) => written.fields[field]?.after ?? null;
    const writtenText = (verdict: Verdict) => textOf(ours(verdict));
    // Of a field that people took, the run's value may be gone: then nothing refers to it by this record.
    const concerned = verdicts.filter(
      (verdict) => verdict.open.has(field) && sameValue(verdict.current.values[field] ?? null, ours(verdict)),
    );
    const values = [...new Set(concerned.map(writtenText).filter((value) => value !== null))];
    if (values.length === 0) continue;
    const held = await context.held({ system: store.name, collection, field }, values);
    for (const verdict of concerned) {
      const value = writtenText(verdict);
      if (value !== null && held.has(value)) withdraw(verdict, collection, field, 'referred-to');
    }
  }
}

/** Old values that somebody else holds now stay away; repeated, since each record that keeps its value may be a holder. */
async function withdrawTaken(
  transaction: GraphTransaction,
  collection: string,
  verdicts: readonly Verdict[],
  groups: readonly (readonly string[])[],
): Promise<void> {
  const rules = await uniqueRules(transaction, [...new Set(verdicts.flatMap(({ open }) => [...open]))]);
  for (let moved = rules.length > 0; moved; ) {
    moved = false;
    const wanted = verdicts.flatMap((verdict) =>
      [...verdict.open].map((property) => ({
        verdict,
        id: verdict.current.id,
        labels: verdict.current.labels,
        property,
        value: verdict.written.fields[property]?.before as Encoded,
      })),
    );
    const leaving = (property: string) =>
      new Set(wanted.filter((want) => want.property === property).map(({ id }) => id));
    for (const [want, holder] of await takenValues(transaction, rules, wanted, leaving)) {
      const { verdict } = want as (typeof wanted)[number];
      withdraw(verdict, collection, want.property, 'value-taken', holder);
      keepTogether(verdict, collection, groups);
      moved = true;
    }
  }
}

/** The groups of coupled fields that lie in this collection, by property. */
export function groupsOf(store: Store, context: UndoContext, collection: string): string[][] {
  return context.coupled.map((group) =>
    group.filter((ref) => ref.system === store.name && ref.collection === collection).map(({ field }) => field),
  );
}

/** Compares a batch's fields with what stands there now. With purpose `lock` what it says stays true until the end. */
export async function judgeFields(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
): Promise<Judgement<FieldsChange>> {
  const { collection } = body;
  const written = body.changes.filter((change) => change.form === 'fields');
  const changes = takenOf(body, context.force).changes.filter((change) => change.form === 'fields');
  const keys = changes.map(({ key }) => key);
  const properties = [...new Set(written.flatMap(({ fields }) => Object.keys(fields)))];
  const current = await readCurrent(transaction, { label: collection, key: body.key }, keys, properties, purpose);
  const { verdicts, missing } = compareFields(collection, changes, current, context.force !== undefined);
  const groups = groupsOf(store, context, collection);
  if (context.force)
    withdrawTornApart(verdicts, collection, groups, new Map(written.map(({ key, fields }) => [key, fields])));
  await withdrawHeld(store, context, collection, verdicts);
  for (const verdict of verdicts) keepTogether(verdict, collection, groups);
  await withdrawTaken(transaction, collection, verdicts, groups);
  const open = verdicts.flatMap((verdict) => {
    const change = toChange(verdict);
    return change ? [{ id: verdict.current.id, change }] : [];
  });
  return { changes: open, conflicts: [...missing, ...verdicts.flatMap(({ conflicts }) => conflicts)] };
}

/**
 * Puts values back. Under a uniqueness constraint all are removed first and then set, so that values may change places.
 */
export async function applyFields(transaction: GraphTransaction, { changes }: Judgement<FieldsChange>): Promise<void> {
  const rows = (pick: (after: Encoded) => unknown) =>
    changes.map(({ id, change }) => [
      id,
      Object.fromEntries(Object.entries(change.fields).map(([name, { after }]) => [name, pick(after)])),
    ]);
  const statement = 'UNWIND $rows AS row MATCH (n) WHERE id(n) = row[0] SET n += row[1]';
  const properties = new Set(changes.flatMap(({ change }) => Object.keys(change.fields)));
  const rules = await uniqueRules(transaction, [...properties]);
  if (rules.length > 0) await transaction.run(statement, { rows: rows(() => null) });
  await transaction.run(statement, { rows: rows(decodeValue) });
}
