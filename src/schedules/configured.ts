import { createHash } from 'node:crypto';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { nextDue, readCron } from './cron.ts';
import type { Schedule, ScheduledAction, ScheduleStore } from './schedule.ts';

/** A schedule as the configuration names it. */
export interface ConfiguredSchedule {
  readonly id: string;
  readonly action: ScheduledAction;
  readonly cron: string;
  readonly zone: string;
  readonly quiet: boolean;
}

/** Who asks: whoever wrote the configuration is no person that Slack knows. */
const configuration = { id: 'configuration', name: 'the configuration' };

/** The same one has the same id at every start, wherever it stands. */
export function configuredId(environment: string, id: string): string {
  return `sch-${createHash('sha256').update(`${environment}/${id}`).digest('hex').slice(0, 8)}`;
}

/**
 * Makes the stored schedules what the configuration says; called at each start, by any number of replicas. Throws
 * `invalid-config` for an environment that there is not.
 */
export async function applyConfigured(
  store: Pick<ScheduleStore, 'configure'>,
  byEnvironment: ReadonlyMap<string, readonly ConfiguredSchedule[]>,
  environments: readonly string[],
  clock: Clock,
): Promise<void> {
  const now = clock.now();
  const schedules: Schedule[] = [];
  for (const [environment, configured] of byEnvironment) {
    if (!environments.includes(environment)) throw unknownEnvironment(environment, environments);
    for (const { id, action, cron, zone, quiet } of configured) {
      const times = readCron(cron);
      const next = typeof times === 'string' ? null : nextDue(times, zone, now);
      schedules.push({
        id: configuredId(environment, id),
        environment,
        action,
        cron,
        zone,
        quiet,
        paused: false,
        pausedBy: null,
        editor: configuration,
        editors: [configuration.id],
        configured: id,
        nextAt: next?.toISOString() ?? null,
      });
    }
  }
  await store.configure(schedules, now);
}

function unknownEnvironment(name: string, known: readonly string[]): Failure {
  return new Failure({
    code: 'invalid-config',
    message: `schedules names ${name}, and there is no such environment.`,
    advice: `Configured are: ${known.join(', ')}. Correct it and start again.`,
  });
}
