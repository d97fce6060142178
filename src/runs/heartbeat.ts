import type { Environment } from '../plans/environment.ts';
import type { Logger } from '../shared/logger.ts';
import type { HolderMark } from '../systems/holder-mark.ts';
import type { System } from '../systems/system.ts';
import type { Execution } from './execution.ts';
import { readStanding, standingFor } from './intrusions.ts';
import type { LeaseView, StoredRun } from './run-records.ts';
import { standsStill } from './run-status.ts';

const every = 15_000;
/** Seconds after which a mark that nobody renews says that the bot stands still or is gone. */
const markSeconds = 60;

type Marked = Pick<Environment, 'name' | 'systems'>;

/** Renews the lease of the environment, and the marks in its systems by which people see who holds it when the bot is gone. */
export function startHeartbeat(execution: Execution): { stop(): void } {
  const { deps, environment, run } = execution;
  const failed = (): void => deps.logger.warn({ run: run.id }, 'the lease was not renewed');
  const beat = (): void => {
    void deps.records.renewLease(environment.name, run.id).catch(failed);
    void mark(environment, run, deps.logger);
  };
  void mark(environment, run, deps.logger);
  const timer = setInterval(beat, every).unref();
  return { stop: () => clearInterval(timer) };
}

/** Says in every system that keeps marks that this run holds the environment. A system that is away stops no run. */
export async function mark(
  { name, systems }: Marked,
  run: Pick<StoredRun, 'id' | 'plan'>,
  logger: Logger,
): Promise<void> {
  const holders = holdersOf(systems);
  if (holders.length === 0) return;
  const note = (await readStanding(systems, standingFor(run))).join('; ');
  const holder = { environment: name, runId: run.id, seconds: markSeconds, note };
  for (const [system, { hold }] of holders) await hold(holder).catch(unmarked(logger, system, run.id));
}

/** Takes away the run's marks, and those of the run that it undid. One that stays is told of by `/tas status`. */
export async function unmark(
  { name, systems }: Marked,
  run: Pick<StoredRun, 'id' | 'plan'>,
  logger: Logger | null,
): Promise<void> {
  for (const [system, { release }] of holdersOf(systems)) {
    for (const runId of standingFor(run)) await release(name, runId).catch(unmarked(logger, system, runId));
  }
}

/** What marks say that is not as the bot itself has it; `holder` = the run that it knows to hold the environment. */
export async function readMarks(
  { name, systems }: Marked,
  holder: Pick<LeaseView, 'runId' | 'status'> | null,
): Promise<readonly string[]> {
  const found = await Promise.all(
    holdersOf(systems).map(async ([system, { read }]) => {
      const seen = await read(name).catch(() => null);
      const known = seen?.runId === holder?.runId;
      // One that stands still does not renew its mark.
      if (seen === null || (known && (!seen.expired || (holder !== null && standsStill(holder.status))))) return null;
      const at = seen.renewedAt.toISOString().replace(/\.\d+Z$/, 'Z');
      return `${system}: ${seen.runId} is marked as holding ${name}, last renewed ${at}${seen.expired ? ', expired' : ''}`;
    }),
  );
  return found.filter((text) => text !== null);
}

function holdersOf(systems: ReadonlyMap<string, System>): readonly (readonly [string, HolderMark])[] {
  return [...systems.values()].flatMap(({ name, holder }) => (holder ? [[name, holder] as const] : []));
}

function unmarked(logger: Logger | null, system: string, run: string): (error: Error) => void {
  return (error) =>
    logger?.warn({ system, run, error: error.message }, 'the mark of who holds the environment is not as it should be');
}
