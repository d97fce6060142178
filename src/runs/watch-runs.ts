import type { Environment } from '../plans/environment.ts';
import type { Logger } from '../shared/logger.ts';
import type { Orphan } from './control-records.ts';
import { readMarks } from './heartbeat.ts';
import { readStanding } from './intrusions.ts';
import type { RunRecords } from './run-records.ts';

interface Deps {
  readonly records: Pick<RunRecords, 'orphans' | 'parkOrphan' | 'event'>;
  readonly logger: Logger;
  readonly environments: ReadonlyMap<string, Pick<Environment, 'name' | 'systems'>>;
}

/** Seconds of silence after which people are told, and after which the run is parked though a worker once took it. */
const tellAfter = 60;
const giveUpAfter = 10 * 60;

/**
 * Looks for runs that are running and that nobody carries out: their worker gave up or is gone, and they still hold their
 * environment. People are told who holds what; a run that no worker will come back for is parked, so that a retry takes it
 * up. A worker that was only silent finds that out before its next batch, and writes nothing more.
 */
export async function watchRuns({ records, logger, environments }: Deps): Promise<void> {
  for (const orphan of await records.orphans()) {
    const given = orphan.work === 'dead' || (orphan.work === 'taken' && orphan.silent > giveUpAfter);
    if (given && (await park(records, orphan))) {
      logger.error({ run: orphan.runId, work: orphan.work }, 'a run was parked: nobody carries it out');
    } else if (!given && orphan.silent > tellAfter) {
      const text = `No worker has been heard of for ${Math.round(orphan.silent / 60)} min. It holds ${orphan.environment}.${await sayStanding(environments, orphan)} When its worker is up again it goes on by itself; otherwise it is stopped, so that it can be retried.`;
      await records.event(orphan.runId, 'lost', text, `lost:${orphan.attempt}`);
    }
  }
}

/** Somebody must know that services are down, though nobody carries the run out. */
async function sayStanding(environments: Deps['environments'], { environment, runId }: Orphan): Promise<string> {
  const known = environments.get(environment);
  const standing = known ? await readStanding(known.systems, [runId]) : [];
  const marks = known ? await readMarks(known, null) : [];
  const still = [...standing, ...marks];
  return still.length === 0 ? '' : ` Still so: ${still.join('; ')}.`;
}

function park(records: Deps['records'], orphan: Orphan): Promise<boolean> {
  return records.parkOrphan(orphan, {
    code: 'step-failed',
    message: `Nobody carries it out any more: its worker ${orphan.work === 'dead' ? 'gave up' : 'is gone'}.`,
    advice: `It holds ${orphan.environment}. What was written is complete and journaled. Retry goes on from where it stopped; or undo it.`,
    retryable: true,
  });
}
