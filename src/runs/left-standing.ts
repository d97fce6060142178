import type { CarryOutDeps } from './execution.ts';
import { closesStores, readStanding, standingFor } from './intrusions.ts';
import type { StoredRun } from './run-records.ts';

/** What the run has set up and leaves as it is while it stands still: people must know that services are down. */
export async function sayStanding({ environments }: CarryOutDeps, run: StoredRun): Promise<string> {
  const systems = environments.get(run.environment)?.systems;
  const standing = systems ? await readStanding(systems, standingFor(run)) : [];
  return standing.length === 0 ? '' : ` Still so: ${standing.join('; ')}.`;
}

/** When it undoes itself: only while services are down, for then every minute hurts. */
export async function undoDueOf({ environments, clock }: CarryOutDeps, run: StoredRun): Promise<Date | null> {
  const { undoAfterMinutes } = run.plan;
  const systems = environments.get(run.environment)?.systems;
  if (undoAfterMinutes === undefined || !systems || !(await closesStores(systems, standingFor(run)))) return null;
  return new Date(clock.now().getTime() + undoAfterMinutes * 60_000);
}
