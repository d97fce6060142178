import type { Notices } from '../notices/notice.ts';
import type { StoredRun } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import { sayDuration } from '../shared/duration.ts';
import { sayLocalTime } from '../shared/local-time.ts';
import { remainingMs } from './in-time.ts';
import type { Window } from './window.ts';

/** After a window's end, for the votes on the run that turns maintenance mode off. */
const modePatience = 15 * 60_000;

interface Deps {
  readonly channelOf: (environment: string) => string | null;
  readonly notices: Notices;
  readonly callLate: (window: Window, runId: string | null) => Promise<void>;
  readonly settle: (window: Window) => Promise<void>;
  readonly clock: Clock;
}

/** Tells operators when a run will not end in its window, or the window itself does not end, and what to do. */
export async function warnOfTime(deps: Deps, window: Window, runs: readonly StoredRun[]): Promise<void> {
  if (window.state === 'ended') {
    await warnOfMode(deps, window, runs);
    return deps.settle(window);
  }
  if (window.state !== 'active') return;
  const now = deps.clock.now();
  const left = Date.parse(window.to) - now.getTime();
  const migrating = runs.filter((run) => run.plan.action !== 'maintenance');
  const going = migrating.find((run) => run.status === 'running') ?? null;
  const still = migrating.find((run) => run.status === 'parked' || run.status === 'paused') ?? null;
  if (left <= 0) {
    await deps.callLate(window, (going ?? still)?.id ?? null);
    return tell(deps, window, 'late', sayLate(window, going, still), (going ?? still)?.id);
  }
  const needs = going === null ? null : remainingMs(going, now);
  if (going === null || needs === null || needs <= left) return;
  await tell(
    deps,
    window,
    `slow:${going.id}`,
    `⚠ ${going.id} will not end in the window ${window.id}: it needs about ${sayDuration(needs)} more, and ${sayDuration(left)} are left (until ${sayLocalTime(window.to, window.zone)}). Make it faster (\`/tas faster ${going.id}\`), stop it and undo it in time (\`/tas stop ${going.id}\`), or let it go on: users are told that it takes longer.`,
    going.id,
  );
}

/** Users still read that maintenance goes on: somebody has to vote, or to ask again. */
async function warnOfMode(deps: Deps, window: Window, runs: readonly StoredRun[]): Promise<void> {
  const done = runs.filter((run) => run.plan.maintenance && run.status === 'done' && run.undoneBy === null);
  const isOn = done.some((run) => run.plan.maintenance?.on) && !done.some((run) => run.plan.maintenance?.on === false);
  const since = deps.clock.now().getTime() - Date.parse(window.endedAt ?? '');
  if (!isOn || since < modePatience) return;
  const off = runs.findLast((run) => run.plan.maintenance?.on === false);
  const what = off ? `${off.id}, which turns it off, is ${off.status}` : 'nobody could be asked to turn it off yet';
  const text = `⚠ The window ${window.id} of ${window.environment} is over, and users still read that maintenance goes on: ${what}. \`/tas status env:${window.environment}\` shows where things are.`;
  await tell(deps, window, 'mode', text, off?.id);
}

function sayLate(window: Window, going: StoredRun | null, still: StoredRun | null): string {
  const what =
    going !== null
      ? `${going.id} is still running`
      : still !== null
        ? `${still.id} is ${still.status}`
        : 'something holds the environment';
  const way = going ?? still;
  const advice =
    way === null
      ? `\`/tas status env:${window.environment}\` shows what.`
      : `\`/tas rollback ${way.id}\` shows the ways back.`;
  return `⚠ The window ${window.id} of ${window.environment} should have ended at ${sayLocalTime(window.to, window.zone)}: ${what}. Users are told that it takes longer. ${advice}`;
}

async function tell(
  { channelOf, notices }: Deps,
  window: Window,
  name: string,
  text: string,
  runId: string | undefined,
): Promise<void> {
  const channel = channelOf(window.environment);
  if (channel === null) return;
  await notices.add([
    {
      topic: `window:${window.id}:time`,
      to: { channel },
      anew: true,
      once: `window:${window.id}:${name}`,
      content: { kind: 'line', text, ...(runId === undefined ? {} : { runId }) },
    },
  ]);
}
