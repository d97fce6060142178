import type { Environment } from '../plans/environment.ts';
import { holdEnd, stepsWithAside } from '../plans/plan-release.ts';
import type { EndedHold } from './door.ts';
import { performedRun } from './performed-run.ts';
import type { RunRecords } from './run-records.ts';

/** Runs that are looked at; older ones are released by name all the same. */
const lookBack = 200;

/** Runs that still keep something aside although their hold is over, newest first: somebody should release them. */
export async function findEndedHolds(records: RunRecords, environment: Environment, now: Date): Promise<EndedHold[]> {
  const ended: EndedHold[] = [];
  const runs = await records.list({ environment: environment.name, statuses: ['done', 'closed'], limit: lookBack });
  for (const run of runs) {
    if (run.undoneBy !== null || run.endedAt === null || run.plan.undoClass === 'reversible') continue;
    const since = holdEnd(run.endedAt, environment.holdDays);
    if (now.getTime() < Date.parse(since) || stepsWithAside(environment, performedRun(run)).length === 0) continue;
    if ((await records.findRelease(run.id)) === null) ended.push({ runId: run.id, title: run.plan.title, since });
  }
  return ended;
}
