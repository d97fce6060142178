import type { FailureReport } from '../shared/failure.ts';
import { type Attempt, attemptPatiently } from './attempt.ts';
import type { Execution } from './execution.ts';

const usualErrors = 10;

/**
 * Work on the stores of a run, tried again while one does not answer. Each failure that is tried again is counted in the
 * bot's own database; beyond the environment's threshold the last one is the answer.
 */
export function patiently<T>(execution: Execution, work: () => Promise<T>): Promise<Attempt<T>> {
  const { deps, run, environment } = execution;
  const most = environment.stopAfterErrors ?? usualErrors;
  return attemptPatiently(deps.logger, work, async (failure) => {
    const count = await deps.records.countError(run.id);
    return count > most ? tooMany(count, failure) : null;
  });
}

function tooMany(count: number, last: FailureReport): FailureReport {
  return {
    code: last.code,
    message: `${count} failures were tried again, more than this environment allows. The last: ${last.message}`,
    advice: `${last.advice} Then retry: the run goes on from where it stopped, and the count begins anew.`,
    retryable: true,
  };
}
