import { createHash } from 'node:crypto';
import { digestOf } from '../../shared/json.ts';
import type { BatchRequest, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { type BatchManner, type KindSetting, runBatch } from './batch.ts';
import type { Session } from './database.ts';
import type { JournalBody } from './journal-body.ts';
import { createJournalReader } from './journal-reader.ts';
import { countBatches, listSchemaBatches, readBody } from './journal-store.ts';
import { KeptCount } from './kept-findings.ts';
import { compareRows } from './undo-compare.ts';
import { applyRows } from './undo-rows.ts';
import { previewSchemaChanges, undoSchemaChanges } from './undo-schema.ts';

/** Batch i undoes the original's last batch but i, in one transaction, and journals itself in the same form. */
export async function undoBatch(
  setting: KindSetting,
  batch: BatchRequest,
  context: UndoContext,
  manner: BatchManner,
): Promise<UndoBatchResult> {
  const { runId, stepId } = context.undoes;
  const total = await setting.database.transact({ readOnly: true }, (session) => countBatches(session, runId, stepId));
  if (batch.index >= total) return { cursor: null, done: 0, kept: 0, missing: 0 };
  const reader = createJournalReader(setting.database, setting.seal);
  return runBatch(setting, context, batch, manner, async (session) => {
    const original = await needBody(session, setting, context, total - 1 - batch.index);
    const undone = isOfRows(original)
      ? await applyRows(session, { setting, reader, context, original })
      : await undoSchema(session, original, context);
    const missing = undone.missing;
    const kept = undone.conflicts.filter((conflict) => conflict.reason !== 'missing').length;
    return {
      body: { ...original, changes: undone.changes, conflicts: undone.conflicts },
      result: { cursor: batch.index + 1 < total ? batch.index + 1 : null, done: undone.done, kept, missing },
    };
  });
}

/** Compares every record of the run's journal with what stands there now; locks nothing. */
export async function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  const { runId, stepId } = context.undoes;
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    setting.database.transact({ readOnly: true, statementTimeout: 600_000 }, work);
  const total = await read((session) => countBatches(session, runId, stepId));
  const reader = createJournalReader(setting.database, setting.seal);
  // Where single conflicts were taken, what the run made of the schema stays.
  const leavingConstraints = context.force ? new Set<string>() : await read((s) => constraintsOf(s, setting, runId));
  const keys = createHash('sha256');
  const samples: Sample[] = [];
  const locks = new Set<string>();
  const kept = new KeptCount();
  let count = 0;
  let bytes = 0;
  let schema = '';
  for (let index = total - 1; index >= 0; index -= 1) {
    context.signal.throwIfAborted();
    const original = await read((session) => needBody(session, setting, context, index));
    if (!isOfRows(original)) {
      if (context.force) continue;
      const seen = await read((session) => previewSchemaChanges(session, original));
      count += seen.count;
      kept.add(seen.conflicts);
      for (const lock of seen.locks) locks.add(lock);
      continue;
    }
    const seen = await read((session) =>
      compareRows(session, { setting, reader, context, original, leavingConstraints }),
    );
    schema = digestOf([...seen.table.columns.values()].map((column) => ({ ...column })));
    for (const intent of seen.intents) {
      keys.update(`${intent.key}\n`);
      if (samples.length < 5) {
        samples.push({ collection: original.table, key: intent.key, before: intent.before, after: intent.after });
      }
      bytes += 200 + 80 * Object.keys(intent.after).length;
    }
    kept.add(seen.conflicts);
    count += seen.intents.length;
  }
  const keysHash = keys.digest('hex');
  return {
    count,
    exact: true,
    keysHash,
    schemaHash: schema,
    samples,
    undoClass: 'reversible',
    locks: [...locks],
    bytes,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

/** The schema has no fields of records that people could have taken: of it nothing is undone then. */
async function undoSchema(session: Session, original: JournalBody, { force }: UndoContext) {
  return force ? { changes: [], conflicts: [], done: 0, missing: 0 } : undoSchemaChanges(session, original);
}

/** Names of the constraints that the run made and that its undo drops before it comes to rows. */
async function constraintsOf(session: Session, setting: KindSetting, runId: string): Promise<Set<string>> {
  const names = new Set<string>();
  for (const key of await listSchemaBatches(session, runId)) {
    const body = await readBody(session, setting.seal, key);
    for (const change of body?.changes ?? []) {
      if (change.did === 'add-constraint' && !change.existed) names.add(change.name);
    }
  }
  return names;
}

function isOfRows(body: JournalBody): boolean {
  return body.keyColumn !== null;
}

async function needBody(
  session: Session,
  setting: KindSetting,
  context: UndoContext,
  index: number,
): Promise<JournalBody> {
  const body = await readBody(session, setting.seal, { ...context.undoes, index });
  if (!body) throw new Error(`the journal has no batch ${context.undoes.runId}/${context.undoes.stepId}/${index}`);
  return body;
}
