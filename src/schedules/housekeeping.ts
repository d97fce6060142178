import { schedule } from 'node-cron';
import type { Environment } from '../plans/environment.ts';
import { countBrokenGlass, type GlassRecords } from '../runs/cast-vote.ts';
import type { RunRecords } from '../runs/run-records.ts';
import { watchRuns } from '../runs/watch-runs.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';

interface Deps {
  readonly records: Pick<RunRecords, 'expireOverdue' | 'orphans' | 'parkOrphan' | 'event'> & GlassRecords;
  readonly environments: ReadonlyMap<string, Pick<Environment, 'name' | 'systems'>>;
  readonly undoOverdue: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * What the bot does by itself: every 15 seconds it closes requests that nobody approved in time, so that their cards say
 * so, looks for runs that nobody carries out any more, undoes those that stopped with services down when their time is over,
 * and counts approvals by break-glass that nobody vetoed. Votes are judged by the clock all the same. Any number of replicas
 * may do it at once.
 */
export function startHousekeeping(deps: Deps): { stop(): Promise<void> } {
  const { records, environments, clock, logger } = deps;
  const task = schedule(
    '*/15 * * * * *',
    async () => {
      await records
        .expireOverdue(clock.now())
        .catch((error: Error) => logger.warn({ error: error.message }, 'overdue requests were not closed'));
      await watchRuns({ records, logger, environments }).catch((error: Error) =>
        logger.warn({ error: error.message }, 'nobody looked for lost runs'),
      );
      await deps
        .undoOverdue()
        .catch((error: Error) => logger.warn({ error: error.message }, 'nobody looked for runs that undo themselves'));
      await countBrokenGlass(deps).catch((error: Error) =>
        logger.warn({ error: error.message }, 'approvals by break-glass were not counted'),
      );
    },
    { noOverlap: true, logger },
  );
  return { stop: async () => task.destroy() };
}
