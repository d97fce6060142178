import {
  type BatchRequest,
  type BatchResult,
  type Conflict,
  defineStepKind,
  type StepContext,
  type StepKind,
  type StepPreview,
  type UndoBatchResult,
  type UndoContext,
} from '../../system.ts';
import { type AlembicStep, alembicInput } from '../alembic/alembic-step.ts';
import { carryOut, standsElsewhere, wayOf } from '../alembic/carry-out.ts';
import { previewWay } from '../alembic/preview.ts';
import { readRevision } from '../alembic/revision.ts';
import type { KindSetting } from '../batch.ts';
import { runConcurrently } from '../concurrent-batch.ts';
import type { Session } from '../database.ts';
import type { JournalBody } from '../journal-body.ts';
import { readBody, readSummary } from '../journal-store.ts';
import { KeptCount } from '../kept-findings.ts';
import { standing } from '../schema-kind.ts';

/** Runs a service's own alembic: upgrade, and downgrade for its undo. */
export function alembicKind(setting: KindSetting): StepKind {
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    setting.database.transact({ readOnly: true }, work);
  return defineStepKind<AlembicStep>({
    name: 'postgres.alembic',
    // At most: each preview says what its SQL does.
    effect: 'destroys',
    input: alembicInput,
    describe: ({ from, to, folder }) => `runs alembic of ${folder} from ${from} to ${to}`,
    preview: (step, context) => previewWay(setting, step, 'forth', context),
    performBatch: (step, batch, context) => performBatch(setting, step, batch, context),
    verify: ({ to, versionTable }) =>
      read(async (session) => {
        const stands = (await readRevision(session, versionTable)) === to;
        return [standing('revision-reached', `${versionTable} says ${to}`, stands)];
      }),
    previewUndo: (step, context) => previewUndo(setting, step, context),
    undoBatch: (step, batch, context) => undoBatch(setting, step, batch, context),
  });
}

const lockName = ({ versionTable }: AlembicStep): string => `alembic of ${versionTable}`;

function bodyOf(step: AlembicStep, ran: 'forth' | 'back' | null, conflicts: readonly Conflict[]): JournalBody {
  const body = { version: 1 as const, table: step.versionTable, keyColumn: null, changes: [], conflicts };
  return ran === null ? body : { ...body, ran };
}

function performBatch(
  setting: KindSetting,
  step: AlembicStep,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  return runConcurrently<BatchResult>(setting, context, batch, {
    tables: [],
    lockName: lockName(step),
    async plan(session) {
      const current = await readRevision(session, step.versionTable);
      if (current !== step.from) throw standsElsewhere(step, current);
      return { body: bodyOf(step, 'forth', []), open: true, result: { cursor: null, done: 1 } };
    },
    async act(session, body) {
      await carryOut(session, setting, step, wayOf('forth', step), context.signal);
      return body;
    },
  });
}

function undoBatch(
  setting: KindSetting,
  step: AlembicStep,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  return runConcurrently<UndoBatchResult>(setting, context, batch, {
    tables: [],
    lockName: lockName(step),
    async plan(session) {
      const { ran, open, conflicts } = await judge(session, setting, step, context);
      const result = { cursor: null, done: open ? 1 : 0, kept: conflicts.length, missing: 0 };
      return { body: bodyOf(step, open ? ran : null, conflicts), open, result };
    },
    async act(session, body) {
      if (body.ran) await carryOut(session, setting, step, wayOf(body.ran, step), context.signal);
      return body;
    },
  });
}

async function previewUndo(setting: KindSetting, step: AlembicStep, context: UndoContext): Promise<StepPreview> {
  const { ran, open, conflicts } = await setting.database.transact({ readOnly: true }, (session) =>
    judge(session, setting, step, context),
  );
  const seen = await previewWay(setting, step, ran ?? 'back', context);
  if (open) return { ...seen, undoClass: 'reversible' };
  const kept = new KeptCount();
  kept.add(conflicts);
  return { ...seen, count: 0, locks: [], undoClass: 'reversible', findings: kept.findings(), kept: kept.kept() };
}

/** What undoing means now: which way alembic would go, and whether it may. */
async function judge(session: Session, setting: KindSetting, step: AlembicStep, { undoes }: UndoContext) {
  const key = { ...undoes, index: 0 };
  const original = (await readBody(session, setting.seal, key))?.ran ?? null;
  if (original === null) return { ran: null, open: false, conflicts: [] };
  const ran = original === 'forth' ? ('back' as const) : ('forth' as const);
  const { start, target } = wayOf(ran, step);
  const current = await readRevision(session, step.versionTable);
  // Never begun, or undone already.
  if (current === target) return { ran, open: false, conflicts: [] };
  const finished = (await readSummary(session, key))?.result.open === false;
  if (current === start || !finished) return { ran, open: true, conflicts: [] };
  const conflict: Conflict = {
    collection: step.versionTable,
    key: start,
    field: 'version_num',
    reason: 'changed-since',
    base: target,
    ours: start,
    theirs: current,
  };
  return { ran, open: false, conflicts: [conflict] };
}
