import type { Json } from '../../../shared/json.ts';
import type { Conflict } from '../../system.ts';
import type { Change } from '../batch-body.ts';
import { type Encoded, sameValue } from '../encode.ts';
import { showEncoded } from '../show-value.ts';

type FieldsChange = Extract<Change, { form: 'fields' }>;
type Reason = Conflict['reason'];

/** A record as it stands now. */
export interface CurrentRecord {
  readonly id: bigint;
  readonly labels: readonly string[];
  readonly values: { readonly [property: string]: Encoded };
}

/** What undo may put back in one record; `withdraw` moves fields from `open` to `conflicts`. */
export interface Verdict {
  readonly key: string;
  readonly current: CurrentRecord;
  readonly written: FieldsChange;
  /** The fields that still hold what the run wrote, or that people took. */
  readonly open: Set<string>;
  readonly conflicts: Conflict[];
}

/** Takes a field off the list of what is put back and says why. `theirs` replaces the value that stands there now. */
export function withdraw(verdict: Verdict, collection: string, field: string, reason: Reason, theirs?: Json): void {
  verdict.open.delete(field);
  const { before, after } = verdict.written.fields[field] as { before: Encoded; after: Encoded };
  verdict.conflicts.push({
    collection,
    key: verdict.key,
    field,
    reason,
    base: showEncoded(before),
    ours: showEncoded(after),
    theirs: theirs ?? showEncoded(verdict.current.values[field] ?? null),
  });
}

/**
 * Compares what a run wrote with what stands there now. A field that has its old value again needs nothing. Fields that
 * people took are open whatever stands there.
 */
export function compareFields(
  collection: string,
  changes: readonly FieldsChange[],
  current: ReadonlyMap<string, CurrentRecord>,
  taken = false,
): { verdicts: Verdict[]; missing: Conflict[] } {
  const verdicts: Verdict[] = [];
  const missing: Conflict[] = [];
  for (const written of changes) {
    const now = current.get(written.key);
    if (now === undefined) {
      missing.push(goneRecord(collection, written));
      continue;
    }
    const verdict: Verdict = { key: written.key, current: now, written, open: new Set(), conflicts: [] };
    for (const [field, { before, after }] of Object.entries(written.fields)) {
      const value = now.values[field] ?? null;
      if (taken ? !sameValue(value, before) : sameValue(value, after)) verdict.open.add(field);
      else if (!sameValue(value, before)) withdraw(verdict, collection, field, 'changed-since');
    }
    verdicts.push(verdict);
  }
  return { verdicts, missing };
}

function goneRecord(collection: string, { key, fields }: FieldsChange): Conflict {
  const entries = Object.entries(fields);
  const values = (side: 'before' | 'after') =>
    Object.fromEntries(entries.map(([name, images]) => [name, showEncoded(images[side])]));
  const field = entries.map(([name]) => name).join(', ');
  return { collection, key, field, reason: 'missing', base: values('before'), ours: values('after'), theirs: null };
}

/** Where one field of a group stays, the others stay too; returns whether anything was withdrawn. */
export function keepTogether(verdict: Verdict, collection: string, groups: readonly (readonly string[])[]): boolean {
  let withdrew = false;
  for (const group of groups) {
    if (!group.some((field) => verdict.conflicts.some((conflict) => conflict.field === field))) continue;
    for (const field of group) {
      if (!verdict.open.has(field)) continue;
      withdraw(verdict, collection, field, 'coupled');
      withdrew = true;
    }
  }
  return withdrew;
}

/** The undo's own change of a record: from what stands there to what stood there before the run. Null = nothing to do. */
export function toChange(verdict: Verdict): FieldsChange | null {
  if (verdict.open.size === 0) return null;
  const fields: { [property: string]: { before: Encoded; after: Encoded } } = Object.create(null);
  for (const field of verdict.open) {
    const images = verdict.written.fields[field] as { before: Encoded; after: Encoded };
    fields[field] = { before: verdict.current.values[field] ?? null, after: images.before };
  }
  return { form: 'fields', key: verdict.key, fields };
}
