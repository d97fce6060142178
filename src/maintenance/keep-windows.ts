import type { NewNotice, Notices } from '../notices/notice.ts';
import type { Door } from '../runs/door.ts';
import type { RunRecords, StoredRun } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { announcementOf } from './announcement.ts';
import { type ModeDeps, turnMode } from './maintenance-mode.ts';
import type { MaintenanceSettings } from './settings.ts';
import { warnOfTime } from './warn-of-time.ts';
import type { Window, WindowStore } from './window.ts';
import { sayPlainly, usualWords } from './words.ts';

export interface KeepDeps extends Pick<ModeDeps, 'modeMemory' | 'ownsMode'> {
  readonly store: WindowStore;
  readonly settings: ReadonlyMap<string, MaintenanceSettings>;
  /** The environment's own channel; null = it is no longer configured. */
  readonly channelOf: (environment: string) => string | null;
  readonly records: Pick<RunRecords, 'find' | 'leaseHolder' | 'openToStart'>;
  readonly door: Pick<Door, 'submit'>;
  readonly notices: Notices;
  /** Calls somebody: a window is late. */
  readonly callLate: (window: Window, runId: string | null) => Promise<void>;
  readonly settle: (window: Window) => Promise<void>;
  /** Unique in this process. */
  readonly holder: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a process that says nothing keeps the others from it. */
const keeps = 90_000;
const remembered = 24 * 3_600_000;

/**
 * Begins and ends windows, hands runs that waited for one to the workers, asks for maintenance mode, and tells users and
 * operators. All of it follows from the stored windows and runs, so it survives restarts; one process at a time does it.
 */
export async function keepWindows(deps: KeepDeps): Promise<void> {
  const { store, clock, logger } = deps;
  if (!(await isOurs(deps))) return;
  for (const window of await store.list(null, new Date(clock.now().getTime() - remembered))) {
    // One window may take long: planning asks the cluster.
    if (!(await isOurs(deps))) return;
    await keepOne(deps, window.id).catch((error: Error) =>
      logger.warn({ window: window.id, error: error.message }, 'a maintenance window was not looked after'),
    );
  }
}

function isOurs({ store, holder, clock }: KeepDeps): Promise<boolean> {
  const now = clock.now();
  return store.keep('maintenance', holder, now, new Date(now.getTime() + keeps));
}

async function keepOne(deps: KeepDeps, id: string): Promise<void> {
  const before = await deps.store.find(id);
  if (before === null) return;
  await advance(deps, before);
  const window = (await deps.store.find(id)) ?? before;
  const runs = await readRuns(deps, window);
  // Whatever is wrong with maintenance mode: users are told all the same, but not that it is over.
  const modeOff = await turnMode(deps, window, runs).catch((error: Error) => {
    deps.logger.error({ window: id, err: error }, 'maintenance mode could not be asked for');
    return false;
  });
  await openRuns(deps, window, runs);
  await announce(deps, window, modeOff);
  await warnOfTime(deps, window, runs);
}

async function readRuns({ store, records }: KeepDeps, window: Window): Promise<readonly StoredRun[]> {
  const runs: StoredRun[] = [];
  for (const id of await store.runsOf(window.id)) {
    const run = await records.find(id);
    if (run) runs.push(run);
  }
  return runs;
}

/** Begins it at its time, and ends it when its time is over and nothing runs there any more. */
async function advance({ store, records, clock }: KeepDeps, window: Window): Promise<void> {
  const now = clock.now();
  if (window.state === 'scheduled' && now.getTime() >= Date.parse(window.to)) {
    await store.finish(window.id, 'missed', now, 'nobody began it in its time');
  } else if (window.state === 'scheduled' && now.getTime() >= Date.parse(window.from)) {
    await store.start(window.id, now);
  } else if (window.state === 'active' && now.getTime() >= Date.parse(window.to)) {
    if ((await records.leaseHolder(window.environment)) === null) await store.finish(window.id, 'ended', now, null);
  }
}

/**
 * One after the other: two that start at once would find the environment held. Maintenance mode goes first. When the window is
 * over, those that still wait are handed on too: their own gate then says that they are too late.
 */
async function openRuns({ records }: KeepDeps, window: Window, runs: readonly StoredRun[]): Promise<void> {
  const bound = runs.filter((run) => run.plan.window?.id === window.id);
  const waiting = bound.filter((run) => run.status === 'queued');
  if (waiting.length === 0 || window.state === 'scheduled') return;
  if (window.state !== 'active') {
    for (const run of waiting) await records.openToStart(run.id);
    return;
  }
  if (bound.some((run) => run.status === 'running') || (await records.leaseHolder(window.environment)) !== null) return;
  const next = waiting.find((run) => run.plan.action === 'maintenance') ?? waiting[0];
  if (next) await records.openToStart(next.id);
}

/** In the users' channels and on the status page. */
async function announce(deps: KeepDeps, window: Window, modeOff: boolean): Promise<void> {
  const settings = deps.settings.get(window.environment);
  if (settings === undefined) return;
  const now = deps.clock.now();
  const told = announcementOf(window, settings.before, modeOff, now);
  if (told === null) return;
  const words = settings.words[told.occasion] ?? usualWords[told.occasion];
  const { environment, from, to, reason } = window;
  const notices = settings.channels.map(
    (channel): NewNotice => ({
      topic: `window:${window.id}`,
      to: { channel },
      anew: true,
      once: `window:${window.id}:${told.name}:${channel}`,
      content: { kind: 'maintenance', words, environment, from, to, reason, trueUntil: told.trueUntil },
    }),
  );
  if (notices.length > 0) await deps.notices.add(notices);
  if (settings.statusPage === null) return;
  const { occasion, name } = told;
  const text = sayPlainly(words, window);
  const body = { window: window.id, environment, occasion, from, to, reason, text };
  await deps.store.addPost({ id: `${window.id}:${name}`, windowId: window.id, environment, body }, now);
}
