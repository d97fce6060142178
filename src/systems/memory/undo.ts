import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { type KindSetting, previewOf, runBatch } from './batch.ts';
import { batchesOf, openBody } from './journal.ts';
import type { BatchBody, Change, Fields, MemoryStore } from './memory-store.ts';
import { findKept, type KeptFields } from './undo-kept.ts';

interface Undone {
  readonly body: BatchBody;
  readonly missing: number;
}

/** Batch i undoes the last batch but i of the journal, and is journaled itself, so that it can be undone. */
export function undoBatch(setting: KindSetting, batch: BatchRequest, context: UndoContext): Promise<UndoBatchResult> {
  return runBatch(setting, context, batch, async () => {
    const batches = batchesOf(setting.store, context.undoes.runId, context.undoes.stepId);
    const original = batches.at(-1 - batch.index);
    if (!original)
      return { body: { changes: [], conflicts: [] }, result: { cursor: null, done: 0, kept: 0, missing: 0 } };
    const { body, missing } = await findUndo(setting, await openBody(setting.seal, original), context);
    const kept = body.conflicts.length - missing;
    const cursor = batch.index + 1 < batches.length ? batch.index + 1 : null;
    return { body, result: { cursor, done: body.changes.length, kept, missing } };
  });
}

/** What the undo would restore here and now. */
export function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  return setting.store.exclusive(async () => {
    const changes: Change[] = [];
    const kept = new KeptTally();
    for (const batch of batchesOf(setting.store, context.undoes.runId, context.undoes.stepId)) {
      const { body } = await findUndo(setting, await openBody(setting.seal, batch), context);
      changes.push(...body.changes);
      for (const conflict of body.conflicts) kept.add(conflict);
    }
    const preview = previewOf(changes, [...new Set(changes.map((change) => change.collection))]);
    return { ...preview, kept: kept.kept(), findings: kept.findings() };
  });
}

async function findUndo(setting: KindSetting, original: BatchBody, context: UndoContext): Promise<Undone> {
  const { store } = setting;
  if (context.force)
    return { body: { changes: forcedChanges(store, original, context.force), conflicts: [] }, missing: 0 };
  const kept = await findKept(setting, original, context);
  const changes: Change[] = [];
  const conflicts: Conflict[] = [];
  let missing = 0;
  for (const change of [...original.changes].reverse()) {
    const record = store.records(change.collection).get(change.key);
    if (change.after === null) {
      if (record) conflicts.push(conflict(store, change, 'id', 'value-taken'));
      else changes.push({ ...change, before: null, after: change.before });
    } else if (!record) {
      missing += 1;
      conflicts.push(conflict(store, change, change.fields[0] ?? 'id', 'missing'));
    } else {
      conflicts.push(...keptConflicts(store, change, kept));
      const back = restored(change, kept);
      if (back) changes.push({ ...back, before: pick(record, back.fields) });
    }
  }
  return { body: { changes, conflicts }, missing };
}

/** The way back for the taken fields alone, whatever stands there now. A record that the run made or deleted goes by its `id`. */
function forcedChanges(store: MemoryStore, original: BatchBody, force: NonNullable<UndoContext['force']>): Change[] {
  return [...original.changes].reverse().flatMap((change): Change[] => {
    const record = store.records(change.collection).get(change.key) ?? null;
    const isTaken = (field: string): boolean => force(change.collection, change.key, field);
    if (change.before === null || change.after === null) {
      if (!isTaken('id') || (record === null && change.before === null)) return [];
      return [wholeChange(change, record, change.before)];
    }
    const { before } = change;
    const fields = change.fields.filter(isTaken);
    if (record === null || fields.length === 0) return [];
    const after = pick(before, fields);
    return sameFields(record, after, fields) ? [] : [{ ...change, fields, before: pick(record, fields), after }];
  });
}

function wholeChange(change: Change, before: Fields | null, after: Fields | null): Change {
  return {
    ...change,
    fields: [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])],
    before,
    after,
  };
}

function sameFields(record: Fields, wanted: Fields, fields: readonly string[]): boolean {
  return fields.every((field) => JSON.stringify(record[field] ?? null) === JSON.stringify(wanted[field] ?? null));
}

/** The way back for the fields that are not kept; null where nothing is left to restore. */
function restored(change: Change, kept: KeptFields): Change | null {
  const open = change.fields.filter((field) => kept.reason(change, field) === null);
  if (change.before === null) return open.length < change.fields.length ? null : { ...change, after: null };
  if (open.length === 0) return null;
  return { ...change, fields: open, after: pick(change.before, open) };
}

function keptConflicts(store: MemoryStore, change: Change, kept: KeptFields): Conflict[] {
  return change.fields.flatMap((field) => {
    const reason = kept.reason(change, field);
    return reason === null || reason === 'as-before' ? [] : [conflict(store, change, field, reason)];
  });
}

function conflict(store: MemoryStore, change: Change, field: string, reason: Conflict['reason']): Conflict {
  return {
    collection: change.collection,
    key: change.key,
    field,
    reason,
    base: change.before?.[field] ?? null,
    ours: change.after?.[field] ?? null,
    theirs: store.records(change.collection).get(change.key)?.[field] ?? null,
  };
}

function pick(record: Fields, fields: readonly string[]): Fields {
  return Object.fromEntries(fields.filter((field) => field in record).map((field) => [field, record[field] ?? null]));
}
