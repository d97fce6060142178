import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type {
  BatchRequest,
  BatchResult,
  StepContext,
  StepPreview,
  UndoBatchResult,
  UndoContext,
} from '../../system.ts';
import { type BatchManner, type KindSetting, rowManner, runBatch, schemaMannerFor } from '../batch.ts';
import type { Session } from '../database.ts';
import { describeError, isServerError } from '../errors.ts';
import type { JournalBody } from '../journal-body.ts';
import { readBody, readSummary } from '../journal-store.ts';
import { refuseFailed } from '../schema-kind.ts';
import { countAffected } from './affected.ts';
import { subjectOf } from './lint.ts';
import { locksOf } from './locks.ts';
import { invalidAt, type Statement } from './parse.ts';
import { countGiven } from './preview-raw.ts';
import { lookAtRaw, type RawLook, type RawStep } from './raw-step.ts';
import { writeRows } from './row-batch.ts';

const writing = /^(Insert|Update|Delete|Merge|Select)Stmt$/;

/** Carries a raw step out: by rows where its journal holds them, else all statements in one batch. */
export async function performRaw(
  setting: KindSetting,
  step: RawStep,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const { database } = setting;
  const look = await database.transact({ readOnly: true }, (session) => lookAtRaw(session, step));
  if (look.effect === 'reads') return readOnly(setting, step, look);
  return givingUp(setting, look, () =>
    runBatch(setting, context, batch, mannerOf(setting, step, look.statements), async (session) => {
      // Judged again in the transaction itself: functions and triggers may have been changed meanwhile.
      const now = await lookAtRaw(session, step);
      refuseFailed(now.findings);
      if (now.wayBack?.by === 'rows') return writeRows(session, now.wayBack.plan, batch);
      const given = now.count === null ? null : await countGiven(session, now.count);
      const done = await runAll(session, 'statements', now.statements);
      return { body: bodyOf('forth', now.statements), result: { cursor: null, done: given ?? done } };
    }),
  );
}

/** The inverse, or the statements again for the undo of an undo, as one journaled batch. */
export async function undoRaw(
  setting: KindSetting,
  step: RawStep,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const look = await setting.database.transact({ readOnly: true }, (session) => lookAtRaw(session, step));
  const all = [...look.statements, ...look.inverse];
  return givingUp(setting, look, () =>
    runBatch(setting, context, batch, mannerOf(setting, step, all), async (session) => {
      const ran = await readDirection(session, setting, context);
      const result = { cursor: null, kept: 0, missing: 0 };
      if (ran === null) return { body: bodyOf('back', look.statements), result: { ...result, done: 0 } };
      const { parameter, statements, now } = other(ran, step, look);
      const done = await runAll(session, parameter, statements);
      return { body: bodyOf(now, statements), result: { ...result, done } };
    }),
  );
}

/** What the undo by an inverse would do, as far as it can be told without carrying it out. */
export async function previewRawUndo(setting: KindSetting, step: RawStep, context: UndoContext): Promise<StepPreview> {
  return setting.database.transact({ readOnly: true, statementTimeout: 600_000 }, async (session) => {
    const look = await lookAtRaw(session, step);
    const ran = await readDirection(session, setting, context);
    const done = Number((await readSummary(session, { ...context.undoes, index: 0 }))?.result.done ?? 0);
    const known = step.oneWay !== true;
    const back = ran === 'back' ? look.statements : look.inverse;
    return {
      count: known && ran !== null ? done : 0,
      exact: true,
      keysHash: digestOf([context.undoes.runId, context.undoes.stepId, done]),
      schemaHash: digestOf(back.map(({ text }) => text)),
      samples: [],
      undoClass: 'reversible',
      locks: known ? locksOf(back) : [],
      bytes: done * 250,
      effect: ran === 'back' ? look.effect : look.inverseEffect,
      findings: [known ? conflictsUnknown(done) : carriedOutOneWay(done)],
    };
  });
}

function readOnly(setting: KindSetting, step: RawStep, { statements }: RawLook): Promise<BatchResult> {
  const options = { readOnly: true, statementTimeout: step.timeLimit * 1000 };
  return setting.database.transact(options, async (session) => {
    await runAll(session, 'statements', statements);
    return { cursor: null, done: 0 };
  });
}

/** A connection in which something unknown ran may have kept settings, locks or listeners of its own: others get new ones. */
async function givingUp<T>(setting: KindSetting, { opaque }: RawLook, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    if (opaque) setting.database.reset();
  }
}

function mannerOf(setting: KindSetting, step: RawStep, statements: readonly Statement[]): BatchManner {
  const tables = [...new Set(statements.map(subjectOf).filter((name) => name !== ''))];
  const ofRows = statements.every(({ kind }) => writing.test(kind));
  return { ...(ofRows ? rowManner : schemaMannerFor(setting, tables)), statementTimeout: step.timeLimit * 1000 };
}

/** Each statement by itself and as it stands; answers the records that they wrote, as the preview counts them. */
async function runAll(session: Session, parameter: string, statements: readonly Statement[]): Promise<number> {
  let done = 0;
  for (const statement of statements) {
    const before = writing.test(statement.kind) ? null : await countAffected(session, statement);
    const written = await runOne(session, parameter, statement);
    done += before?.count ?? written;
  }
  return done;
}

async function runOne(session: Session, parameter: string, { text, line }: Statement): Promise<number> {
  try {
    return await session.change(text);
  } catch (error) {
    const place = Number((error as { position?: unknown }).position ?? Number.NaN);
    if (!isServerError(error) || !/^(42(?!501)|0A|25001|2F)/.test(error.code ?? '')) throw error;
    const at = Number.isNaN(place) ? 0 : [...text].slice(0, place - 1).join('').length;
    const advice = 'The whole step was taken back. Correct the statement in the file.';
    const failure = invalidAt(parameter, text, at, describeError(error), advice, line);
    throw new Failure({ ...failure.report(), cause: error });
  }
}

function bodyOf(ran: NonNullable<JournalBody['ran']>, statements: readonly Statement[]): JournalBody {
  const table = statements.map(subjectOf).find((name) => name !== '') ?? 'statements';
  return { version: 1, table, keyColumn: null, changes: [], conflicts: [], ran };
}

/** Which way the original went; null where it never came to commit. */
async function readDirection(session: Session, setting: KindSetting, { undoes }: UndoContext) {
  return (await readBody(session, setting.seal, { ...undoes, index: 0 }))?.ran ?? null;
}

function other(ran: NonNullable<JournalBody['ran']>, step: RawStep, look: RawLook) {
  if (ran === 'back') {
    return { parameter: 'statements', statements: look.statements, now: 'forth' as const };
  }
  if (step.inverse === undefined) {
    const { advice } = carriedOutOneWay(0);
    const message = 'The statements were carried out as one-way: no inverse is known.';
    throw new Failure({ code: 'not-allowed', message, advice });
  }
  return { parameter: 'inverse', statements: look.inverse, now: 'back' as const };
}

function conflictsUnknown(count: number) {
  return {
    check: 'conflicts-unknown',
    title: 'Raw statements are undone by their inverse, which cannot tell what others wrote since',
    status: 'warning' as const,
    count,
    samples: [],
    advice: 'See that the inverse leaves alone what it should; the bot cannot compare record by record here.',
  };
}

function carriedOutOneWay(count: number) {
  return {
    check: 'undo-said',
    title: 'The statements were carried out as one-way',
    status: 'failed' as const,
    count,
    samples: [],
    advice: 'Restore from a backup set, or write a migration that takes it back.',
  };
}
