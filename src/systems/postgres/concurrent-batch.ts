import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import type { BatchRequest, BatchResult, StepContext } from '../system.ts';
import { type BatchOutcome, type KindSetting, runBatch, schemaMannerFor } from './batch.ts';
import type { Session } from './database.ts';
import { isRetryable } from './errors.ts';
import { type JournalBody, summarize } from './journal-body.ts';
import { checkFence, readBody, writeBatch } from './journal-store.ts';
import { nameHolders } from './lock-holders.ts';

const TRIES = 3;
const TURN_MS = 500;
const TURNS = 20;
const CONCURRENT_TIMEOUT = 60_000;

/** What a change outside of transactions consists of. `plan` writes nothing; `act` may find it half done or done. */
export interface ConcurrentWork<Result extends BatchResult> {
  readonly tables: readonly string[];
  /** Two processes never act under the same name at once. */
  readonly lockName: string;
  /** The intent: `open` = there is something to do. */
  plan(session: Session): Promise<BatchOutcome<Result> & { readonly open: boolean }>;
  /** Does it, reads back, and returns the body as the journal shall hold it. */
  act(session: Session, body: JournalBody): Promise<JournalBody>;
}

/**
 * A change that PostgreSQL makes outside of transactions only (CONCURRENTLY), so not in one with the journal: intent → act
 * → read back → done. Called again after a crash it goes on with the intent of the first call.
 */
export async function runConcurrently<Result extends BatchResult>(
  setting: KindSetting,
  context: StepContext,
  request: BatchRequest,
  work: ConcurrentWork<Result>,
): Promise<Result> {
  const key = { runId: context.runId, stepId: context.stepId, index: request.index };
  const manner = schemaMannerFor(setting, work.tables);
  const begun = await runBatch(setting, context, request, manner, async (session) => {
    const { body, result, open } = await work.plan(session);
    return { body, result: { ...result, open } };
  });
  const { open, ...result } = begun;
  if (!open) return result as unknown as Result;
  const intent = await setting.database.transact({ readOnly: true }, (session) => readBody(session, setting.seal, key));
  if (!intent) throw new Error(`the intent of ${key.runId}/${key.stepId}/${key.index} was written and is not there`);
  const body = await actPatiently(setting, context, work, intent);
  await setting.database.transact({}, async (session) => {
    await checkFence(session, context.fence);
    await writeBatch(session, setting.seal, key, body, summarize(body, { ...result, open: false }));
  });
  return result as unknown as Result;
}

async function actPatiently(
  setting: KindSetting,
  context: StepContext,
  work: Pick<ConcurrentWork<BatchResult>, 'act' | 'tables' | 'lockName'>,
  intent: JournalBody,
): Promise<JournalBody> {
  // It stands in nobody's way while it waits, except for other changes of the schema: so it may wait longer.
  const limits = { lockTimeout: setting.concurrentTimeout ?? CONCURRENT_TIMEOUT, statementTimeout: 0 };
  for (let attempt = 1; ; attempt += 1) {
    context.signal.throwIfAborted();
    try {
      return await setting.database.outside(limits, async (session) => {
        await takeTurn(session, context, work.lockName);
        return work.act(session, intent);
      });
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (attempt >= TRIES) throw await nameHolders(setting.database, work.tables, error, true);
      setting.logger.info({ attempt, reason: (error as { code?: string }).code }, 'it is tried again');
      await sleep(TURN_MS, undefined, { signal: context.signal });
    }
  }
}

/** The server works on for a process that was killed: wait for it without a transaction, for which it would wait in turn. */
async function takeTurn(session: Session, context: StepContext, name: string): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    const [row] = await session.rows('SELECT pg_try_advisory_lock(hashtextextended($1, 7305811920)) AS mine', [name]);
    if (row?.mine === 't') return;
    await sleep(TURN_MS, undefined, { signal: context.signal });
  }
  throw new Failure({
    code: 'timed-out',
    message: `An earlier try is still at work on ${name}.`,
    advice: 'The server goes on with it by itself. Retry when it is done; nothing is lost.',
    retryable: true,
  });
}
