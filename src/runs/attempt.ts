import { randomUUID } from 'node:crypto';
import { Failure, type FailureReport } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';

/** A result or a failure as a plain value: thrown errors lose their class when they are stored and read back. */
export type Attempt<T> = { readonly ok: T } | { readonly failed: FailureReport };

const pauses = [500, 2_000, 8_000, 20_000];

/** Runs work; a failure is returned, a bug is logged under an id and returned as `step-failed` with that id. */
export async function attempt<T>(logger: Logger, work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: await work() };
  } catch (error) {
    if (error instanceof Failure) return { failed: error.report() };
    const id = randomUUID().slice(0, 8);
    logger.error({ err: error, id }, 'a bug stopped a step');
    return {
      failed: {
        code: 'step-failed',
        message: `Something the bot did not expect happened (${id} in its log).`,
        advice: 'What was written is complete and journaled. Retry, or undo the run.',
        retryable: true,
      },
    };
  }
}

/**
 * The same, trying again after a pause while the store does not answer: ≈ 30 s in all. `again` hears of each failure that is
 * about to be tried again, and may answer with what it fails as instead.
 */
export async function attemptPatiently<T>(
  logger: Logger,
  work: () => Promise<T>,
  again: (failure: FailureReport) => Promise<FailureReport | null> = async () => null,
): Promise<Attempt<T>> {
  for (const pause of pauses) {
    const result = await attempt(logger, work);
    if ('ok' in result || result.failed.code !== 'unreachable') return result;
    const enough = await again(result.failed);
    if (enough !== null) return { failed: enough };
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return attempt(logger, work);
}

/**
 * For work on the bot's own database outside of a durable step: what is thrown there means that it is away, and a run must
 * not be lost for that. Tries again for ≈ 30 s, then throws.
 */
export async function persist<T>(logger: Logger, work: () => Promise<T>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Failure) throw error;
      logger.warn({ err: error }, "the bot's own database did not answer");
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return work();
}
