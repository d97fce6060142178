import type { Check } from '../checks/check.ts';
import { runCheck } from '../checks/run-check.ts';
import type { NewNotice, Notices } from '../notices/notice.ts';
import type { Environment } from '../plans/environment.ts';
import type { Action } from '../plans/plan.ts';
import type { Run } from '../runs/run.ts';
import type { RunRecords, StoredRun } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import { withinTime } from '../shared/within-time.ts';
import { bakeKey } from './follow-runs.ts';
import type { Pages } from './page.ts';

/** Looks at an environment after a run, in the bot's database: a replica has each minute's look for itself. */
export interface BakeLooks {
  /** Ids of runs of these actions that are done since then and not undone. */
  endedSince(since: Date, actions: readonly Action[]): Promise<readonly string[]>;
  /** False where another replica has the look. */
  claim(runId: string, minute: number, at: Date): Promise<boolean>;
  /** What was wrong; empty = all was well. */
  save(runId: string, minute: number, wrong: readonly string[]): Promise<void>;
  /** Of all looks that came to an end. */
  read(runId: string): Promise<readonly (readonly string[])[]>;
}

export interface BakeDeps {
  readonly records: Pick<RunRecords, 'find' | 'leaseHolder' | 'event'>;
  readonly environments: ReadonlyMap<string, Pick<Environment, 'name' | 'channel' | 'systems' | 'checks'>>;
  readonly looks: BakeLooks;
  readonly pages: Pages;
  readonly notices: Notices;
  /** How long is watched; 0 = not at all. */
  readonly minutes: number;
  /** Ids of checks that are cheap enough for each minute. */
  readonly checks: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

const minute = 60_000;
/** After its end somebody has to have said so; a bot that was away for longer says nothing of what nobody watched. */
const afterwards = 30 * minute;
const watched: readonly Action[] = ['migrate', 'restore', 'rollback'];
const checkPatience = 20_000;

/**
 * After a run that changed something the environment is looked at each minute for a while: health, the cheap checks, the
 * error budget. All of it follows from the run's end and from the looks that were taken, so it survives restarts.
 */
export async function bake(deps: BakeDeps): Promise<void> {
  if (deps.minutes === 0) return;
  const now = deps.clock.now().getTime();
  const since = now - deps.minutes * minute - afterwards;
  for (const id of await deps.looks.endedSince(new Date(since), watched)) {
    const run = await deps.records.find(id);
    if (run === null || !isWatched(run)) continue;
    await bakeOne(deps, run).catch((error: Error) =>
      deps.logger.warn({ run: id, error: error.message }, 'nobody looked after a run'),
    );
  }
}

/** Whether its environment is watched once it is done. */
export function isWatched(run: Pick<Run, 'plan' | 'undoneBy' | 'endedAt'>): boolean {
  const changes = run.plan.stages.some(({ steps }) => steps.some(({ effect }) => effect !== 'reads'));
  return watched.includes(run.plan.action) && changes && run.undoneBy === null && run.endedAt !== null;
}

async function bakeOne(deps: BakeDeps, run: StoredRun): Promise<void> {
  const now = deps.clock.now();
  const gone = Math.floor((now.getTime() - Date.parse(run.endedAt ?? '')) / minute);
  if (gone >= deps.minutes) return endBake(deps, run);
  // Another run is at work there: what is down may be down on purpose.
  if ((await deps.records.leaseHolder(run.environment)) !== null) return;
  if (!(await deps.looks.claim(run.id, gone, now))) return;
  const first = await look(deps, run.environment);
  // One lost packet wakes nobody.
  const wrong = first.length === 0 ? first : await look(deps, run.environment);
  await deps.looks.save(run.id, gone, wrong);
  if (wrong.length === 0) return deps.pages.resolve(bakeKey(run.id));
  await tellWrong(deps, run, gone, wrong);
}

async function tellWrong(deps: BakeDeps, run: StoredRun, gone: number, wrong: readonly string[]): Promise<void> {
  const environment = deps.environments.get(run.environment);
  if (!environment) return;
  const what = wrong.slice(0, 3).join('; ');
  const advice = `/tas rollback ${run.id} shows the ways back; /tas status env:${run.environment} shows where things are.`;
  await deps.pages.raise(`bake:${run.id}:${gone}`, bakeKey(run.id), {
    reason: 'bake-failed',
    environment: run.environment,
    severity: 'error',
    summary: `${run.environment} is not well ${gone} min after ${run.plan.action} ${run.plan.subject}: ${what}`,
    advice: `In Slack: ${advice}`,
    runId: run.id,
  });
  const notice: NewNotice = {
    topic: `bake:${run.id}`,
    to: { channel: environment.channel },
    // The first one is a new message; the others say in it what is so now.
    anew: (await deps.looks.read(run.id)).filter((one) => one.length > 0).length <= 1,
    once: `bake:${run.id}:${gone}`,
    content: {
      kind: 'line',
      runId: run.id,
      text: `⚠ ${run.environment} is not well ${gone} min after ${run.id}: ${what}. \`/tas rollback ${run.id}\` shows the ways back.`,
    },
  };
  await deps.notices.add([notice]);
}

async function endBake(deps: BakeDeps, run: StoredRun): Promise<void> {
  const looks = await deps.looks.read(run.id);
  const bad = looks.filter((wrong) => wrong.length > 0).length;
  const missed = deps.minutes - looks.length;
  const unseen = missed > 0 ? `, not looked at for ${missed} min` : '';
  const text =
    looks.length === 0
      ? `nobody could watch for ${deps.minutes} min`
      : bad === 0
        ? `watched for ${deps.minutes} min: all well in ${looks.length} looks${unseen}`
        : `watched for ${deps.minutes} min: not well in ${bad} of ${looks.length} looks${unseen}; ${looks.at(-1)?.length === 0 ? 'well at the end' : 'NOT well at the end'}`;
  await deps.records.event(run.id, 'watched', text, 'bake:end');
}

/** What is wrong now, in words. */
async function look(deps: BakeDeps, name: string): Promise<readonly string[]> {
  const environment = deps.environments.get(name);
  if (!environment) return [];
  const systems = [...environment.systems.values()];
  const down = systems.map(async (system) => {
    const health = await system.checkHealth();
    return health.up ? null : `${system.name} is down${health.note === undefined ? '' : ` (${health.note})`}`;
  });
  const strained = systems.map(async (system) => {
    if (system.type !== 'prometheus' || !system.load) return null;
    const { strain, why } = await system.load().catch(orNothing);
    return strain > 1 ? (why ?? `the error budget of ${system.name} is burnt`) : null;
  });
  const all = await environment.checks();
  const unknown = deps.checks.filter((id) => !all.has(id));
  if (unknown.length > 0)
    deps.logger.warn({ checks: unknown }, 'the configuration watches by checks that there are not');
  const checks = deps.checks.flatMap((id) => all.get(id) ?? []).map((check) => failing(check, environment.systems));
  return (await Promise.all([...down, ...strained, ...checks])).filter((wrong) => wrong !== null);
}

/** One that does not end in time is not cheap, and says nothing. */
async function failing(check: Check, systems: Environment['systems']): Promise<string | null> {
  const finding = await withinTime(runCheck(check, systems), checkPatience, () => null);
  return finding?.status === 'failed' ? `${finding.title}: ${finding.count}` : null;
}

/** A Prometheus that is away is told of as down already. */
function orNothing(error: unknown): { strain: number; why: string | null } {
  if (error instanceof Failure) return { strain: 0, why: null };
  throw error;
}
