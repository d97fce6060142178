import { Failure } from '../../shared/failure.ts';
import type { Conflict } from '../system.ts';
import type { Session } from './database.ts';
import { isServerError, type ServerError } from './errors.ts';
import { parseTableName, quoteName, sameTable } from './identifiers.ts';
import type { RowChange } from './journal-body.ts';
import { deleteRows, insertRows, updateRows } from './rows.ts';
import { findSideEffects, type RowEvent } from './side-effects.ts';
import { type Comparison, compareRows, type Intent, type UndoWork } from './undo-compare.ts';

/** What the undo of one batch did. */
export interface Undone {
  readonly changes: readonly RowChange[];
  readonly conflicts: readonly Conflict[];
  readonly done: number;
  readonly missing: number;
}

/** A part of one record's way back that succeeds or fails as a whole. */
interface Unit {
  readonly intent: Intent;
  readonly columns: readonly string[];
}

/** Locks, compares and puts back what nobody changed since. */
export async function applyRows(session: Session, work: UndoWork): Promise<Undone> {
  await session.rows('SET CONSTRAINTS ALL IMMEDIATE', []);
  const seen = await compareRows(session, work, true);
  await refuseSideEffects(session, seen);
  const changes: RowChange[] = [];
  const conflicts = [...seen.conflicts];
  for (const bundle of bundles(seen.intents)) {
    const whole = bundle.map((intent) => ({ intent, columns: Object.keys(intent.after) }));
    const done = await attempt(session, () => write(session, seen, whole));
    if (!isServerError(done)) {
      changes.push(...done);
      continue;
    }
    const result = await writeOneByOne(
      session,
      seen,
      bundle.flatMap((intent) => split(intent, work)),
    );
    changes.push(...result.changes);
    for (const { unit, error } of result.failed) conflicts.push(...(await clashes(session, seen, work, unit, error)));
  }
  return { changes, conflicts, done: new Set(changes.map((change) => change.key)).size, missing: seen.missing };
}

/** Intents that one statement can carry out: the same deed on the same columns. */
function bundles(intents: readonly Intent[]): Intent[][] {
  const groups = new Map<string, Intent[]>();
  for (const intent of intents) {
    const name = JSON.stringify([intent.does, Object.keys(intent.after).sort()]);
    groups.set(name, [...(groups.get(name) ?? []), intent]);
  }
  return [...groups.values()];
}

/** Coupled fields stay one unit; every other field is a unit of its own. */
function split(intent: Intent, work: UndoWork): Unit[] {
  const columns = Object.keys(intent.after);
  if (intent.does !== 'update') return [{ intent, columns }];
  const groups = work.context.coupled.map((group) =>
    group
      .filter((ref) => ref.system === work.setting.system && sameTable(ref.collection, work.original.table))
      .map((ref) => ref.field)
      .filter((field) => columns.includes(field)),
  );
  const together = groups.filter((group) => group.length > 1);
  const alone = columns.filter((column) => !together.some((group) => group.includes(column)));
  return [...together, ...alone.map((column) => [column])].map((fields) => ({ intent, columns: fields }));
}

/** A record may have to wait for another one to give its value free: so rounds, until one brings nothing more. */
async function writeOneByOne(session: Session, seen: Comparison, units: readonly Unit[]) {
  const changes: RowChange[] = [];
  let open: readonly Unit[] = units;
  for (;;) {
    const failed: { unit: Unit; error: ServerError }[] = [];
    for (const unit of open) {
      const done = await attempt(session, () => write(session, seen, [unit]));
      if (isServerError(done)) failed.push({ unit, error: done });
      else changes.push(...done);
    }
    if (failed.length === 0 || failed.length === open.length) return { changes: merge(changes), failed };
    open = failed.map(({ unit }) => unit);
  }
}

/** Runs work under a savepoint; a violated constraint comes back as a value, anything else is thrown. */
async function attempt<T>(session: Session, work: () => Promise<T>): Promise<T | ServerError> {
  await session.rows('SAVEPOINT undo_part', []);
  try {
    const result = await work();
    await session.rows('RELEASE SAVEPOINT undo_part', []);
    return result;
  } catch (error) {
    if (!isServerError(error) || !/^(23505|23503|23P01)$/.test(error.code ?? '')) throw error;
    await session.rows('ROLLBACK TO SAVEPOINT undo_part', []);
    return error;
  }
}

async function write(session: Session, seen: Comparison, units: readonly Unit[]): Promise<RowChange[]> {
  const [first] = units;
  if (!first) return [];
  const { table, key } = seen;
  if (first.intent.does === 'delete') {
    await deleteRows(
      session,
      table,
      key,
      units.map(({ intent }) => intent.key),
    );
    return units.map(({ intent }) => ({ did: 'delete', key: intent.key, before: intent.before }));
  }
  if (first.intent.does === 'insert') {
    const columns = first.columns.filter((name) => table.columns.get(name)?.generated === false);
    const records = units.map(({ intent }) => intent.after);
    const rows = await insertRows(session, table, key, columns, records);
    return [...rows].map(([name, after]) => ({ did: 'insert', key: name, after }));
  }
  const values = units.map(({ intent }) => ({ key: intent.key, values: intent.after }));
  const rows = await updateRows(session, table, key, first.columns, values);
  return units.map(({ intent }) => ({
    did: 'update',
    key: intent.key,
    before: Object.fromEntries(first.columns.map((name) => [name, intent.before[name] ?? null])),
    after: rows.get(intent.key) ?? {},
  }));
}

/** The journal holds one change a record. */
function merge(changes: readonly RowChange[]): RowChange[] {
  const byKey = new Map<string, RowChange>();
  for (const change of changes) {
    const earlier = byKey.get(change.key);
    const both = earlier?.did === 'update' && change.did === 'update';
    const merged = both
      ? { ...change, before: { ...earlier.before, ...change.before }, after: { ...earlier.after, ...change.after } }
      : change;
    byKey.set(change.key, merged);
  }
  return [...byKey.values()];
}

async function clashes(
  session: Session,
  seen: Comparison,
  work: UndoWork,
  unit: Unit,
  error: ServerError,
): Promise<Conflict[]> {
  const { intent, columns } = unit;
  const taken = error.code === '23505' || error.code === '23P01';
  // The server names the referring table in both cases; only one that is not ours can be held by others.
  const ownTable = error.table === parseTableName(work.original.table).name;
  const reason = taken ? 'value-taken' : ownTable ? 'missing' : 'referred-to';
  const named = columns.filter((name) => error.constraint?.includes(name));
  const shown = intent.does === 'update' ? columns : named.length > 0 ? named : columns.slice(0, 1);
  return Promise.all(
    shown.map(async (field) => {
      const base = intent.after[field] ?? null;
      const now = intent.before[field] ?? null;
      const holder = taken && base !== null ? await holderOf(session, seen, field, base, intent.key) : null;
      const theirs = holder === null ? now : { value: now, holder };
      return { collection: work.original.table, key: intent.key, field, reason, base, ours: now, theirs };
    }),
  );
}

async function holderOf(session: Session, seen: Comparison, field: string, value: string, key: string) {
  const name = quoteName(seen.key.name);
  const [row] = await session.rows(
    `SELECT r.${name}::text AS k FROM ${seen.table.sql} r WHERE r.${quoteName(field)}::text = $1 AND r.${name}::text <> $2 LIMIT 1`,
    [value, key],
  );
  return row?.k ?? null;
}

async function refuseSideEffects(session: Session, seen: Comparison): Promise<void> {
  const events = [...new Set(seen.intents.map((intent): RowEvent => intent.does))];
  if (events.length === 0) return;
  const written = [...new Set(seen.intents.flatMap((intent) => Object.keys(intent.after)))];
  const [found] = await findSideEffects(session, seen.table, events, written);
  if (!found) return;
  throw new Failure({ code: 'precondition-failed', message: `${found.title}.`, advice: found.advice ?? '' });
}
