import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Secret } from '../../shared/secret.ts';
import type { BatchRequest, BatchResult, StepContext } from '../system.ts';
import type { Database, Session, TransactionOptions } from './database.ts';
import { isRetryable } from './errors.ts';
import { type JournalBody, summarize } from './journal-body.ts';
import { checkFence, claimBatch, createJournal, readSummary, writeBatch } from './journal-store.ts';
import { nameHolders } from './lock-holders.ts';

/** What kinds need of their system. */
export interface KindSetting {
  /** The system's configured name. */
  readonly system: string;
  readonly database: Database;
  /** For programs that connect by themselves. */
  readonly password: Secret;
  readonly seal: Seal;
  readonly logger: Logger;
  /** How often a change of the schema tries to get its locks. */
  readonly lockAttempts?: number;
  /** How long an index that is built beside the writers waits for older transactions, in milliseconds. */
  readonly concurrentTimeout?: number;
}

/** What one batch did, before it is committed. */
export interface BatchOutcome<Result extends BatchResult> {
  readonly body: JournalBody;
  readonly result: Result;
}

/** How a batch's transaction is to run and how often it is tried. */
export interface BatchManner extends TransactionOptions {
  readonly attempts: number;
  /** Tables whose locks it waits for: when it gives up, it names who holds them. */
  readonly waitsFor?: readonly string[];
}

/** Changes of rows: waits for other writers for a while. */
export const rowManner: BatchManner = { attempts: 6, lockTimeout: 10_000, statementTimeout: 120_000 };

/**
 * Changes of the schema wait for a strong lock, and every later reader queues behind them: so they wait for two
 * seconds only, step aside, and come again.
 */
export const schemaManner: BatchManner = { attempts: 30, lockTimeout: 2000, statementTimeout: 0 };

/** The same for these tables, with the patience that the system was configured with. */
export function schemaMannerFor(setting: KindSetting, tables: readonly string[]): BatchManner {
  return { ...schemaManner, attempts: setting.lockAttempts ?? schemaManner.attempts, waitsFor: tables };
}

/**
 * Carries out one batch in one transaction: its name first, so that a transaction which a killed process left behind
 * makes this one wait and then tell what that one committed; then the fence, the work, the journal and the cap.
 */
export async function runBatch<Result extends BatchResult>(
  setting: KindSetting,
  context: StepContext,
  request: BatchRequest,
  manner: BatchManner,
  work: (session: Session) => Promise<BatchOutcome<Result>>,
): Promise<Result> {
  const key = { runId: context.runId, stepId: context.stepId, index: request.index };
  for (let attempt = 1; ; attempt += 1) {
    context.signal.throwIfAborted();
    try {
      return await setting.database.transact(manner, async (session) => {
        await createJournal(session);
        if (!(await claimBatch(session, key))) return await repeatedResult<Result>(session, key);
        await checkFence(session, context.fence);
        const { body, result } = await work(session);
        checkCap(context, request.done + result.done);
        await writeBatch(
          session,
          setting.seal,
          key,
          body,
          summarize(body, result as unknown as { [name: string]: unknown }),
        );
        return result;
      });
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (attempt >= manner.attempts) throw await nameHolders(setting.database, manner.waitsFor ?? [], error);
      setting.logger.info({ ...key, attempt, reason: (error as { code?: string }).code }, 'batch is tried again');
      await sleep(Math.min(2000, 50 * 2 ** attempt), undefined, { signal: context.signal });
    }
  }
}

async function repeatedResult<Result>(session: Session, key: Parameters<typeof readSummary>[1]): Promise<Result> {
  const summary = await readSummary(session, key);
  if (!summary) throw new Error(`batch ${key.runId}/${key.stepId}/${key.index} has no summary`);
  return summary.result as Result;
}

function checkCap(context: StepContext, done: number): void {
  if (context.cap === null || done <= context.cap) return;
  throw new Failure({
    code: 'over-cap',
    message: `The step ${context.stepId} would write more than the ${context.cap} records that were approved.`,
    advice:
      'This batch was not kept; earlier ones stand. See what came in since the plan was made; then undo, or ask again.',
  });
}
