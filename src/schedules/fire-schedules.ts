import type { NewNotice, Notices } from '../notices/notice.ts';
import type { Door, Submission } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import { isOver } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { lastDue, nextDue, readCron } from './cron.ts';
import { type Editor, reasonOf, type Schedule, type ScheduledAction, type ScheduleStore } from './schedule.ts';

interface Deps {
  readonly store: ScheduleStore;
  readonly door: Pick<Door, 'submit' | 'run'>;
  /** The run that it has asked for since then; null = none. A replica may die after it asked and before it said so. */
  readonly asked: (schedule: Schedule, since: Date) => Promise<Pick<Run, 'id'> | null>;
  readonly notices: Notices;
  /** The environment's channel; null = it is not configured any more. */
  readonly channelOf: (environment: string) => string | null;
  /** What data relies on was not done at its time: somebody has to know. */
  readonly missed: (schedule: Schedule, why: string) => Promise<void>;
  /** What is done with a run that a schedule asked for, when it is over. */
  readonly report: (schedule: Schedule, run: Run) => Promise<void>;
  readonly clock: Clock;
}

/** Asks for what has come due, and reports what has ended. Any number of replicas may do it at once; each time fires once. */
export async function fireSchedules(deps: Deps): Promise<void> {
  const now = deps.clock.now();
  const failures: unknown[] = [];
  // What one schedule meets does not keep the others waiting.
  const forEach = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
    for (const item of items) await work(item).catch((error: unknown) => failures.push(error));
  };
  await forEach(await deps.store.unsettled(now), ({ schedule, dueAt }) => fire(deps, schedule, dueAt, dueAt, 0, now));
  await forEach(await deps.store.due(now), (schedule) => fireDue(deps, schedule, now));
  await forEach(await deps.store.unreported(), async ({ schedule, dueAt, runId }) => {
    const run = await deps.door.run(runId);
    if (run === null || !isEnded(run)) return;
    await deps.report(schedule, run);
    await deps.store.markReported(schedule.id, dueAt);
  });
  if (failures.length > 0) throw failures[0];
}

/** Parked, it may still be retried: but its time has been missed. */
function isEnded({ status }: Run): boolean {
  return isOver(status) || status === 'parked';
}

async function fireDue(deps: Deps, schedule: Schedule, now: Date): Promise<void> {
  const cron = readCron(schedule.cron);
  if (typeof cron === 'string' || schedule.nextAt === null) return;
  // Away for a while: what came due meanwhile is asked for once.
  const before = new Date(Date.parse(schedule.nextAt) - 1);
  const due = lastDue(cron, schedule.zone, before, now) ?? { at: new Date(schedule.nextAt), missed: 0 };
  await fire(deps, schedule, due.at, nextDue(cron, schedule.zone, now), due.missed, now);
}

async function fire(
  deps: Deps,
  schedule: Schedule,
  dueAt: Date,
  nextAt: Date | null,
  missed: number,
  now: Date,
): Promise<void> {
  const { store, door } = deps;
  if (!(await store.claim(schedule.id, dueAt, nextAt, now))) return;
  const known = await deps.asked(schedule, dueAt);
  if (known !== null) return store.settle(schedule.id, dueAt, 'asked', known.id);
  if (missed > 0) await tell(deps, schedule, dueAt, `${sayTimes(missed)} before were missed: nobody was there to ask.`);
  const last = await store.lastRun(schedule.id);
  const running = last === null ? null : await door.run(last);
  if (running !== null && !isEnded(running)) {
    await store.settle(schedule.id, dueAt, 'skipped', null);
    return notMade(deps, schedule, dueAt, `${running.id} of the time before is still ${running.status}`);
  }
  const submission = await submit(deps, schedule, await store.runBy(schedule.id, dueAt));
  if (submission.kind === 'accepted') return store.settle(schedule.id, dueAt, 'asked', submission.run.id);
  if (submission.kind === 'nothing-to-do') {
    await store.settle(schedule.id, dueAt, 'skipped', null);
    if (!schedule.quiet) await tell(deps, schedule, dueAt, 'there is nothing to do');
    return;
  }
  await store.settle(schedule.id, dueAt, 'refused', null);
  const why = `${submission.message} ${submission.advice}`;
  // A drill keeps out of the way of a run: nobody is woken for that.
  if (schedule.action === 'drill' && submission.code === 'environment-busy') {
    return tell(deps, schedule, dueAt, `was not asked for: ${why}`);
  }
  await notMade(deps, schedule, dueAt, why);
}

/** All others who had a say in it: none of them may approve it either. */
function alsoAsking(ids: readonly string[]): { readonly alsoAskedBy?: readonly string[] } {
  return ids.length === 0 ? {} : { alsoAskedBy: [...new Set(ids)] };
}

/** A store that is down is a refusal, too: somebody has to hear of it. */
async function submit({ door }: Deps, schedule: Schedule, runBy: Editor | null): Promise<Submission> {
  const { id, action, environment, editor, editors } = schedule;
  // Whoever asked for it by hand asks, else whoever said what it does; the right to was judged then.
  const asker = runBy ?? editor;
  try {
    return await door.submit({
      action,
      environment,
      subject: '',
      reason: reasonOf(id),
      person: { id: asker.id, name: asker.name, roles: ['operator'] },
      ...alsoAsking([editor.id, ...editors].filter((also) => also !== asker.id)),
    });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, message, advice } = error;
    return { kind: 'refused', code, message, advice, findings: [] };
  }
}

async function notMade(deps: Deps, schedule: Schedule, dueAt: Date, why: string): Promise<void> {
  await tell(deps, schedule, dueAt, `was not asked for: ${why}`);
  if (reliedOn.includes(schedule.action)) await deps.missed(schedule, why);
}

async function tell(deps: Deps, schedule: Schedule, dueAt: Date, text: string): Promise<void> {
  const channel = deps.channelOf(schedule.environment);
  if (channel === null) return;
  const { id, action, environment } = schedule;
  const notice: NewNotice = {
    topic: `schedule:${id}`,
    to: { channel },
    anew: true,
    once: `schedule:${id}:${dueAt.toISOString()}:${text.slice(0, 40)}`,
    content: { kind: 'line', text: `Scheduled ${action} of ${environment} (${id}): ${text}` },
  };
  await deps.notices.add([notice]);
}

/** Data relies on these: somebody is called when one of them is not done. */
const reliedOn: readonly ScheduledAction[] = ['backup', 'drill'];

const sayTimes = (count: number): string =>
  count === 1 ? 'one time' : `${count >= 100 ? 'more than 100' : count} times`;
