import { randomUUID } from 'node:crypto';
import type { Person, Refusal } from '../runs/door.ts';
import { mayOperate, mayRead } from '../runs/gates.ts';
import type { RunRecords } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import { durationSchema, millisecondsOf } from '../shared/duration-text.ts';
import type { FailureCode } from '../shared/failure.ts';
import { isZone, readLocalTime, sayLocalTime } from '../shared/local-time.ts';
import type { MaintenanceSettings } from './settings.ts';
import type { Window, WindowStore } from './window.ts';

export interface ScheduleRequest {
  readonly environment: string;
  /** `2026-11-24 02:00` in the zone, or with an offset; null = now, begun at once. */
  readonly from: string | null;
  /** `2h` */
  readonly length: string;
  /** Null = the environment's. */
  readonly zone: string | null;
  /** The migration that is to start only then; null = none. */
  readonly migration: string | null;
  readonly reason: string;
  readonly person: Person;
}

/** Which window: by its id, or the one of the environment that fits. */
export interface WindowRequest {
  readonly environment: string | null;
  readonly id: string | null;
  readonly reason: string | null;
  readonly person: Person;
}

export interface WindowReply {
  readonly window: Window;
  /** What should be known beside it; null = nothing. */
  readonly note: string | null;
}

/** What people ask about maintenance windows. Windows begin and end by themselves, too. */
export interface MaintenanceDesk {
  schedule(request: ScheduleRequest): Promise<WindowReply | Refusal>;
  start(request: WindowRequest): Promise<WindowReply | Refusal>;
  end(request: WindowRequest): Promise<WindowReply | Refusal>;
  cancel(request: WindowRequest): Promise<WindowReply | Refusal>;
  /** Those to come, active ones, and those of the last week. */
  list(environment: string | null, person: Person): Promise<readonly Window[] | Refusal>;
}

interface Deps {
  readonly store: WindowStore;
  readonly settings: ReadonlyMap<string, MaintenanceSettings>;
  readonly records: Pick<RunRecords, 'leaseHolder'>;
  readonly clock: Clock;
}

const longest = 7 * 24 * 3_600_000;
const shortest = 60_000;
const farthest = 366 * 24 * 3_600_000;
const week = 7 * 24 * 3_600_000;

export function createMaintenanceDesk(deps: Deps): MaintenanceDesk {
  const { store, clock } = deps;
  return {
    schedule: (request) => ifOperator(request.person, () => schedule(deps, request)),
    start: (request) =>
      ifOperator(request.person, () => change(deps, request, 'scheduled', (window) => startNow(deps, window))),
    end: (request) =>
      ifOperator(request.person, () => change(deps, request, 'active', (window) => endNow(deps, window))),
    cancel: (request) =>
      ifOperator(request.person, () =>
        change(deps, request, 'scheduled', async (window) => {
          const remark = request.reason ?? `cancelled by ${request.person.name}`;
          return (await store.finish(window.id, 'cancelled', clock.now(), remark)) ? null : stale(window);
        }),
      ),
    async list(environment, person) {
      const gate = mayRead(person);
      if (!gate.pass) return refuse(gate.code, gate.message, gate.advice);
      return store.list(environment, new Date(clock.now().getTime() - week));
    },
  };
}

async function schedule(deps: Deps, request: ScheduleRequest): Promise<WindowReply | Refusal> {
  const { store, settings, clock } = deps;
  const now = clock.now();
  const zone = request.zone ?? settings.get(request.environment)?.zone ?? 'UTC';
  const times = timesOf(request, zone, now);
  if ('kind' in times) return times;
  const window: Window = {
    id: `win-${randomUUID().slice(0, 8)}`,
    environment: request.environment,
    from: times.from.toISOString(),
    to: times.to.toISOString(),
    zone,
    reason: request.reason,
    migration: request.migration,
    state: 'scheduled',
    createdBy: { id: request.person.id, name: request.person.name },
    createdAt: now.toISOString(),
    startedAt: null,
    endedAt: null,
    remark: null,
  };
  const other = await store.create(window);
  if (other !== null) return overlapping(other);
  const note =
    [times.note, untold(settings.get(request.environment))].filter((part) => part !== null).join(' ') || null;
  if (request.from !== null) return { window, note };
  const refused = await startNow(deps, window);
  return refused ?? { window: (await store.find(window.id)) ?? window, note };
}

/** Who plans a window counts on users being told. */
function untold(settings: MaintenanceSettings | undefined): string | null {
  if (settings && (settings.channels.length > 0 || settings.statusPage !== null)) return null;
  return 'No user is told of it: the configuration names neither channels nor a status page for this environment.';
}

interface Times {
  readonly from: Date;
  readonly to: Date;
  readonly note: string | null;
}

/** Two hours are two hours, whatever the clock does that night. */
function timesOf({ from, length }: ScheduleRequest, zone: string, now: Date): Times | Refusal {
  if (!isZone(zone)) return wrongUse(`There is no time zone ${zone.slice(0, 60)}.`, 'Write one as `Europe/Berlin`.');
  if (!durationSchema.safeParse(length).success) {
    return wrongUse(`${length.slice(0, 40)} is no length of time.`, 'Write `for:90m` or `for:2h`.');
  }
  const lasts = millisecondsOf(length);
  if (lasts < shortest || lasts > longest) {
    return wrongUse('A window lasts between a minute and seven days.', 'Write `for:90m` or `for:2h`.');
  }
  const moment = from === null ? { at: now, twice: false } : readLocalTime(from, zone);
  if (moment === null) {
    return wrongUse(`${from?.slice(0, 40)} is no time.`, 'Write `from:"2026-11-24 02:00"`, in the zone of `tz:`.');
  }
  if (moment === 'gap') {
    return wrongUse(
      `There is no ${from} in ${zone}: clocks are put forward then.`,
      'Name a time that there is, or one with its offset (`2026-11-24T02:00+01:00`).',
    );
  }
  const ahead = moment.at.getTime() - now.getTime();
  if (ahead < -shortest)
    return wrongUse(`${sayLocalTime(moment.at.toISOString(), zone)} is over.`, 'Name a time to come.');
  if (ahead > farthest) return wrongUse('That is more than a year away.', 'Name a nearer time.');
  const note = `${from} comes twice in ${zone} that night: the first is meant, ${moment.at.toISOString().slice(0, 16).replace('T', ' ')} UTC. For the second, cancel this window and write its offset.`;
  return { from: moment.at, to: new Date(moment.at.getTime() + lasts), note: moment.twice ? note : null };
}

async function startNow({ store, clock }: Deps, window: Window): Promise<Refusal | null> {
  if (await store.start(window.id, clock.now())) return null;
  const now = (await store.find(window.id)) ?? window;
  if (now.state !== 'scheduled') return stale(now);
  return refuse(
    'environment-busy',
    `Another window of ${window.environment} has not ended.`,
    'End it first: `/tas maintenance end`. Nothing was changed.',
  );
}

/** While a run holds the environment users are better told that maintenance goes on. */
async function endNow({ store, records, clock }: Deps, window: Window): Promise<Refusal | null> {
  const holder = await records.leaseHolder(window.environment);
  if (holder !== null) {
    return refuse(
      'environment-busy',
      `${holder.runId} is ${holder.status} in ${window.environment}: maintenance is not over.`,
      `Let it end, or decide about it (\`/tas rollback ${holder.runId}\`); the window then ends by itself when its time is over. Nothing was changed.`,
    );
  }
  return (await store.finish(window.id, 'ended', clock.now(), null)) ? null : stale(window);
}

/** Finds the window and changes it, or says why not. */
async function change(
  deps: Deps,
  request: WindowRequest,
  state: 'scheduled' | 'active',
  work: (window: Window) => Promise<Refusal | null>,
): Promise<WindowReply | Refusal> {
  const found = await find(deps, request, state);
  if ('kind' in found) return found;
  if (found.state !== state) return stale(found);
  const refused = await work(found);
  return refused ?? { window: (await deps.store.find(found.id)) ?? found, note: null };
}

async function find(
  { store, clock }: Deps,
  { id, environment }: WindowRequest,
  state: 'scheduled' | 'active',
): Promise<Window | Refusal> {
  const windows = await store.list(environment, clock.now());
  if (id !== null) {
    const named = await store.find(id);
    if (named && (environment === null || named.environment === environment)) return named;
    const known = windows.map((window) => `\`${window.id}\``).join(', ') || 'none';
    return wrongUse(`There is no window ${id.slice(0, 40)}.`, `There are: ${known}.`);
  }
  const fitting = windows.filter((window) => window.state === state);
  if (fitting.length === 1 && fitting[0]) return fitting[0];
  const which = state === 'active' ? 'active' : 'to come';
  return wrongUse(
    fitting.length === 0
      ? `No window of ${environment} is ${which}.`
      : `Several windows of ${environment} are ${which}.`,
    fitting.length === 0
      ? '`/tas maintenance list` shows them.'
      : `Name one: ${fitting.map((window) => `\`${window.id}\``).join(', ')}.`,
  );
}

async function ifOperator<T>(person: Person, work: () => Promise<T | Refusal>): Promise<T | Refusal> {
  const gate = mayOperate(person);
  return gate.pass ? work() : refuse(gate.code, gate.message, gate.advice);
}

function overlapping(other: Window): Refusal {
  return refuse(
    'conflict',
    `${other.environment} has the window ${other.id} from ${sayLocalTime(other.from, other.zone)} to ${sayLocalTime(other.to, other.zone)}.`,
    'Choose another time, or cancel that one first. Nothing was changed.',
  );
}

function stale(window: Window): Refusal {
  return refuse('stale', `${window.id} is ${window.state}.`, '`/tas maintenance list` shows all. Nothing was changed.');
}

const wrongUse = (message: string, advice: string): Refusal =>
  refuse('wrong-use', message, `${advice} Nothing was changed.`);

function refuse(code: FailureCode, message: string, advice: string): Refusal {
  return { kind: 'refused', code, message, advice, findings: [] };
}
