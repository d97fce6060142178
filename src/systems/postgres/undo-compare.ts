import type { Conflict, FieldRef, UndoContext } from '../system.ts';
import type { KindSetting } from './batch.ts';
import type { Session } from './database.ts';
import { sameTable } from './identifiers.ts';
import { isRowChange, type JournalBody, type RowChange, type TextValues, writtenBy } from './journal-body.ts';
import type { JournalReader } from './journal-reader.ts';
import { lockRows, type RowsByKey, readRows } from './rows.ts';
import { type Column, needKey, needTable, type Table } from './table.ts';
import { findForeignHolders } from './undo-references.ts';
import { findTornApart, takenChanges, takenIntent } from './undo-taken.ts';

/** What the undo of one batch works with. */
export interface UndoWork {
  readonly setting: KindSetting;
  readonly reader: JournalReader;
  readonly context: UndoContext;
  readonly original: JournalBody;
  /** Constraints that a preview takes for gone: the run made them, and their undo comes first. */
  readonly leavingConstraints?: ReadonlySet<string>;
}

/** One record that may go back: what stands there now, and what shall. */
export interface Intent {
  readonly does: 'update' | 'insert' | 'delete';
  readonly key: string;
  readonly before: TextValues;
  readonly after: TextValues;
}

export interface Comparison {
  readonly table: Table;
  readonly key: Column;
  readonly intents: readonly Intent[];
  readonly conflicts: readonly Conflict[];
  readonly missing: number;
}

/** Fields by record that stay as they are, with the reason; grows while the rules are gone through. */
class Kept {
  readonly conflicts = new Map<string, Map<string, Conflict>>();

  add(conflict: Conflict): void {
    const fields = this.conflicts.get(conflict.key) ?? new Map<string, Conflict>();
    if (!fields.has(conflict.field)) fields.set(conflict.field, conflict);
    this.conflicts.set(conflict.key, fields);
  }

  has(key: string, field?: string): boolean {
    const fields = this.conflicts.get(key);
    return field === undefined ? fields !== undefined : (fields?.has(field) ?? false);
  }

  all(): Conflict[] {
    return [...this.conflicts.values()].flatMap((fields) => [...fields.values()]);
  }
}

/**
 * Compares a batch's after images with what stands there now; of single conflicts that people took, only those, and
 * whatever stands there. With `lock`, the records stay locked until the end.
 */
export async function compareRows(session: Session, work: UndoWork, lock = false): Promise<Comparison> {
  const { original } = work;
  const table = await needTable(session, original.table);
  const key = needKey(table, original.keyColumn ?? '');
  const { force } = work.context;
  const all = original.changes.filter(isRowChange);
  const changes = force ? takenChanges(all, original.table, key, force) : all;
  const keys = changes.map((change) => change.key);
  if (lock) await lockRows(session, table, key, keys);
  const current = await readRows(session, table, key, [...table.columns.keys()], keys);
  const kept = new Kept();
  let missing = 0;
  for (const change of changes) {
    for (const conflict of compareRecord(original.table, table, change, current.get(change.key))) {
      if (!force || conflict.reason !== 'changed-since') kept.add(conflict);
    }
    if (change.did !== 'delete' && !current.has(change.key)) missing += 1;
  }
  await keepReferred(session, work, table, key, changes, current, kept);
  if (force) for (const conflict of await findTornApart(session, work, force, changes, current)) kept.add(conflict);
  else await keepCoupled(session, work, changes, current, kept);
  const intents = changes.flatMap((change) => {
    const now = current.get(change.key);
    const isKept = (field: string): boolean => kept.has(change.key, field);
    return (force ? takenIntent(table, key, change, now, isKept) : intentOf(change, now, kept)) ?? [];
  });
  return { table, key, intents, conflicts: kept.all(), missing };
}

function compareRecord(name: string, table: Table, change: RowChange, now: TextValues | undefined): Conflict[] {
  const conflict = (field: string, reason: Conflict['reason'], theirs: string | null): Conflict => ({
    collection: name,
    key: change.key,
    field,
    reason,
    base: change.did === 'insert' ? null : (change.before[field] ?? null),
    ours: change.did === 'delete' ? null : (change.after[field] ?? null),
    theirs,
  });
  if (change.did === 'delete') {
    if (!now) return [];
    return Object.keys(change.before)
      .filter((field) => field in now && now[field] !== change.before[field])
      .map((field) => conflict(field, 'changed-since', now[field] ?? null));
  }
  const fields = Object.keys(change.after);
  if (!now) {
    const shown = change.did === 'insert' ? fields.slice(0, 1) : fields;
    return shown.map((field) => conflict(field, 'missing', null));
  }
  return fields.flatMap((field) => {
    if (!table.columns.has(field)) return change.did === 'insert' ? [] : [conflict(field, 'missing', null)];
    const theirs = now[field] ?? null;
    const untouched = theirs === change.after[field];
    const restored = change.did === 'update' && theirs === change.before[field];
    return untouched || restored ? [] : [conflict(field, 'changed-since', theirs)];
  });
}

/** A value that newer records refer to stays, though nobody edited it. */
async function keepReferred(
  session: Session,
  work: UndoWork,
  table: Table,
  key: Column,
  changes: readonly RowChange[],
  current: RowsByKey,
  kept: Kept,
): Promise<void> {
  const { context, setting, original } = work;
  const written = changes.filter((change) => change.did !== 'delete');
  const fields = new Set(written.flatMap((change) => Object.keys(change.after)));
  for (const field of fields) {
    const open = written.filter((change) => {
      const value = change.after[field];
      const stands = value !== undefined && value !== null && current.get(change.key)?.[field] === value;
      return stands && !kept.has(change.key, field);
    });
    const values = [...new Set(open.map((change) => change.after[field] ?? ''))];
    if (values.length === 0) continue;
    const held = await context.held({ system: setting.system, collection: original.table, field }, values);
    for (const change of open)
      if (held.has(change.after[field] ?? '')) kept.add(referred(original.table, change, field));
  }
  const leaving = () => changes.filter((change) => change.did === 'insert' && !kept.has(change.key));
  for (const found of await findForeignHolders(session, table, key, leaving, work.leavingConstraints)) {
    const change = changes.find((candidate) => candidate.key === found.key);
    if (change) kept.add(referred(original.table, change, found.field));
  }
}

function referred(collection: string, change: RowChange, field: string): Conflict {
  const ours = writtenBy(change)?.[field] ?? null;
  const base = change.did === 'insert' ? null : (change.before[field] ?? null);
  return { collection, key: change.key, field, reason: 'referred-to', base, ours, theirs: ours };
}

/** Coupled fields go together or not at all, also where several steps of the run wrote them. */
async function keepCoupled(
  session: Session,
  work: UndoWork,
  changes: readonly RowChange[],
  current: RowsByKey,
  kept: Kept,
): Promise<void> {
  const { context, setting, original, reader } = work;
  const ofTable = (ref: FieldRef): boolean =>
    ref.system === setting.system && sameTable(ref.collection, original.table);
  for (const group of context.coupled) {
    const fields = group.filter(ofTable).map((ref) => ref.field);
    const updates = changes.filter(
      (change) => change.did === 'update' && fields.some((field) => field in change.after),
    );
    const keys = updates.map((change) => change.key);
    const blocked = new Set(keys.filter((key) => fields.some((field) => kept.has(key, field))));
    for (const field of fields) {
      const elsewhere = updates.filter((change) => !(field in (writtenBy(change) ?? {}))).map((change) => change.key);
      if (elsewhere.length === 0) continue;
      const others = await reader.changesOf(session, context.undoes.runId, original.table, field, elsewhere);
      for (const key of await blockedElsewhere(work, field, others, current)) blocked.add(key);
    }
    for (const change of updates) {
      if (change.did !== 'update' || !blocked.has(change.key)) continue;
      for (const field of fields.filter((name) => name in change.after)) {
        kept.add({ ...referred(original.table, change, field), reason: 'coupled' });
      }
    }
  }
}

async function blockedElsewhere(
  work: UndoWork,
  field: string,
  others: ReadonlyMap<string, RowChange>,
  current: RowsByKey,
): Promise<string[]> {
  const still: [string, string][] = [];
  const blocked: string[] = [];
  for (const [key, change] of others) {
    const now = current.get(key)?.[field] ?? null;
    const ours = writtenBy(change)?.[field] ?? null;
    const base = change.did === 'update' ? (change.before[field] ?? null) : null;
    if (now === ours && ours !== null) still.push([key, ours]);
    else if (now !== ours && now !== base) blocked.push(key);
  }
  if (still.length === 0) return blocked;
  const ref = { system: work.setting.system, collection: work.original.table, field };
  const held = await work.context.held(ref, [...new Set(still.map(([, value]) => value))]);
  return [...blocked, ...still.filter(([, value]) => held.has(value)).map(([key]) => key)];
}

function intentOf(change: RowChange, now: TextValues | undefined, kept: Kept): Intent | null {
  if (change.did === 'insert') {
    return now && !kept.has(change.key) ? { does: 'delete', key: change.key, before: now, after: {} } : null;
  }
  if (change.did === 'delete') {
    return now ? null : { does: 'insert', key: change.key, before: {}, after: change.before };
  }
  if (!now) return null;
  const fields = Object.keys(change.after).filter(
    (field) => !kept.has(change.key, field) && now[field] === change.after[field],
  );
  if (fields.length === 0) return null;
  const pick = (values: TextValues): TextValues =>
    Object.fromEntries(fields.map((field) => [field, values[field] ?? null]));
  return { does: 'update', key: change.key, before: pick(now), after: pick(change.before) };
}
