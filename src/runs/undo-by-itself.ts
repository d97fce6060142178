import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import { closesStores, standingFor } from './intrusions.ts';
import type { StoredRun } from './run-records.ts';
import { makeNewRun, type SubmitDeps } from './submit.ts';

interface Deps extends Pick<SubmitDeps, 'environments' | 'records' | 'makePlan' | 'clock'> {
  readonly logger: Logger;
}

/**
 * Undoes runs that stopped while services were down and about which nobody has decided in time. The vote on the run covers
 * that, as its card said; it covers it no longer once services are up. Called again and again, by any number of processes:
 * each run is undone once.
 */
export async function undoOverdue(deps: Deps): Promise<void> {
  for (const run of await deps.records.undoDue(deps.clock.now())) {
    await undoOne(deps, run).catch(async (error: unknown) => {
      deps.logger.warn({ err: error, run: run.id }, 'a run could not undo itself');
      const why =
        error instanceof Failure ? error.message : "something that the bot did not expect happened, see the bot's log";
      await deps.records.event(
        run.id,
        'lost',
        `It could not undo itself: ${why} Somebody must decide.`,
        `undo:${run.attempt}`,
      );
    });
  }
}

async function undoOne(deps: Deps, run: StoredRun): Promise<void> {
  const environment = deps.environments.get(run.environment);
  if (!environment) return;
  if (!(await closesStores(environment.systems, standingFor(run)))) {
    await deps.records.dropUndoDue(run.id);
    return;
  }
  const plan = await deps.makePlan(environment, { action: 'rollback', subject: run.id }, '');
  const request = {
    person: { id: run.requester.id, name: run.requester.name },
    reason: `by itself: nobody decided in time; the vote on ${run.id} covers it`,
  };
  const undo = { ...makeNewRun(deps, environment, request, plan, ''), votesNeeded: 0, queued: true };
  await deps.records.createDueUndo(undo, run.id, deps.clock.now());
}
