import { randomBytes } from 'node:crypto';
import type { Notices } from '../notices/notice.ts';
import type { EnvironmentView, Person, Refusal } from '../runs/door.ts';
import { type Gate, mayOperate, mayRead } from '../runs/gates.ts';
import type { Clock } from '../shared/clock.ts';
import type { FailureCode } from '../shared/failure.ts';
import { isZone, sayLocalTime } from '../shared/local-time.ts';
import { nextDue, readCron } from './cron.ts';
import type { Editor, Firing, Schedule, ScheduledAction, ScheduleStore } from './schedule.ts';

/** A schedule as people see it. */
export interface ScheduleView extends Schedule {
  readonly last: Firing | null;
  /** The next three times, in words of its own zone. */
  readonly next: readonly string[];
}

export interface NewSchedule {
  readonly environment: string;
  readonly action: ScheduledAction;
  readonly cron: string;
  /** Null = UTC. */
  readonly zone: string | null;
  readonly quiet: boolean;
  readonly person: Person;
}

/** What people ask about schedules. Everybody may look; the rest takes an operator, and the channel is told of it. */
export interface ScheduleDesk {
  list(environment: string | null, person: Person): Promise<readonly ScheduleView[] | Refusal>;
  add(request: NewSchedule): Promise<ScheduleView | Refusal>;
  /** `run` = now, too. */
  change(what: ScheduleChange, id: string, person: Person): Promise<ScheduleView | Refusal>;
}

export type ScheduleChange = 'pause' | 'resume' | 'run' | 'remove';

interface Deps {
  readonly store: ScheduleStore;
  readonly notices: Notices;
  readonly environments: readonly EnvironmentView[];
  readonly clock: Clock;
}

const past: Readonly<Record<ScheduleChange, string>> = {
  pause: 'paused',
  resume: 'resumed',
  run: 'asked for now',
  remove: 'removed',
};

export function createScheduleDesk(deps: Deps): ScheduleDesk {
  const { store, clock } = deps;
  return {
    async list(environment, person) {
      const gate = mayRead(person);
      if (!gate.pass) return refusalOf(gate);
      return (await store.list(environment)).map((schedule) => viewOf(schedule, schedule.last, clock.now()));
    },
    add: (request) => add(deps, request),
    change: (what, id, person) => change(deps, what, id, person),
  };
}

async function add(deps: Deps, request: NewSchedule): Promise<ScheduleView | Refusal> {
  const { store, clock } = deps;
  const gate = mayOperate(request.person);
  if (!gate.pass) return refusalOf(gate);
  const cron = readCron(request.cron);
  if (typeof cron === 'string') {
    return refuse(
      'wrong-use',
      `\`cron:"${request.cron}"\` cannot be used: ${cron}.`,
      'Write minute, hour, day, month and weekday, e.g. `cron:"0 3 * * *"` for every night at three. Nothing was changed.',
    );
  }
  const zone = request.zone ?? 'UTC';
  if (!isZone(zone))
    return refuse(
      'wrong-use',
      `There is no time zone ${zone}.`,
      'Write it as `tz:Europe/Berlin`. Nothing was changed.',
    );
  const now = clock.now();
  const next = nextDue(cron, zone, now);
  if (next === null)
    return refuse(
      'wrong-use',
      `\`cron:"${request.cron}"\` never comes due.`,
      'Correct its day, month or weekday. Nothing was changed.',
    );
  const { environment, action, quiet, person } = request;
  const schedule: Schedule = {
    id: `sch-${randomBytes(5).toString('hex').slice(0, 8)}`,
    environment,
    action,
    cron: request.cron,
    zone,
    quiet,
    paused: false,
    pausedBy: null,
    editor: { id: person.id, name: person.name },
    editors: [person.id],
    configured: null,
    nextAt: next.toISOString(),
  };
  await store.add(schedule, now);
  const view = viewOf(schedule, null, now);
  await announce(
    deps,
    schedule,
    `${person.name} added ${action} of ${environment} at ${schedule.cron} (${zone}); next: ${view.next[0]}`,
    now,
  );
  return view;
}

async function change(deps: Deps, what: ScheduleChange, id: string, person: Person): Promise<ScheduleView | Refusal> {
  const { store, clock } = deps;
  const gate = mayOperate(person);
  if (!gate.pass) return refusalOf(gate);
  const schedule = await store.find(id);
  if (schedule === null)
    return refuse(
      'wrong-use',
      `There is no schedule ${id}.`,
      '`/tas schedule list` shows those that there are. Nothing was changed.',
    );
  if (what === 'run' && schedule.paused)
    return refuse('wrong-use', `${id} is paused.`, `\`/tas schedule resume ${id}\` first. Nothing was changed.`);
  if (what === 'remove' && schedule.configured !== null)
    return refuse(
      'wrong-use',
      `${id} stands in the configuration (as ${schedule.configured}) and is removed there.`,
      `\`/tas schedule pause ${id}\` keeps it from asking, over restarts too. Nothing was changed.`,
    );
  const now = clock.now();
  await carryOut(store, schedule, what, { id: person.id, name: person.name }, now);
  const known = await store.find(id);
  await announce(
    deps,
    schedule,
    `${person.name} ${past[what]} ${schedule.action} of ${schedule.environment} at ${schedule.cron} (${schedule.zone})`,
    now,
  );
  return viewOf(known ?? { ...schedule, paused: true, nextAt: null }, null, now);
}

/** None of it makes a person one who said what the schedule does. */
async function carryOut(
  store: ScheduleStore,
  { id, cron: text, zone }: Schedule,
  what: ScheduleChange,
  by: Editor,
  now: Date,
): Promise<void> {
  if (what === 'remove') await store.remove(id);
  if (what === 'pause') await store.pause(id, by, null);
  // Due now: whoever looks next asks for it.
  if (what === 'run') await store.runNow(id, by, now);
  if (what !== 'resume') return;
  const cron = readCron(text);
  // What another version wrote may not be readable here: it can still be paused and removed.
  await store.pause(id, null, typeof cron === 'string' ? null : nextDue(cron, zone, now));
}

/** A schedule that stands still is no change of data, but people rely on it. */
async function announce({ notices, environments }: Deps, schedule: Schedule, text: string, now: Date): Promise<void> {
  const channel = environments.find(({ name }) => name === schedule.environment)?.channel;
  if (channel === undefined) return;
  const topic = `schedule:${schedule.id}`;
  const content = { kind: 'line', text: `Schedule ${schedule.id}: ${text}` } as const;
  await notices.add([{ topic, to: { channel }, anew: true, once: `${topic}:edited:${now.toISOString()}`, content }]);
}

function viewOf(schedule: Schedule, last: Firing | null, now: Date): ScheduleView {
  const cron = readCron(schedule.cron);
  const next: string[] = [];
  if (typeof cron !== 'string' && !schedule.paused) {
    for (
      let at = nextDue(cron, schedule.zone, now);
      at !== null && next.length < 3;
      at = nextDue(cron, schedule.zone, at)
    ) {
      next.push(sayLocalTime(at.toISOString(), schedule.zone));
    }
  }
  return { ...schedule, last, next };
}

function refuse(code: FailureCode, message: string, advice: string): Refusal {
  return { kind: 'refused', code, message, advice, findings: [] };
}

function refusalOf({ code, message, advice }: Exclude<Gate, { pass: true }>): Refusal {
  return refuse(code, message, advice);
}
