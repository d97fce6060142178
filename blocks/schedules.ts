import type { Firing } from '../src/schedules/schedule.ts';
import type { ScheduleView } from '../src/schedules/schedule-desk.ts';
import { code, plain } from './escape.ts';
import { type Message, section, sections } from './message.ts';
import { sayUtc } from './say.ts';

const done = {
  add: 'Added',
  pause: 'Paused',
  resume: 'Resumed',
  run: 'Is asked for within half a minute',
  remove: 'Removed',
} as const;
export type ScheduleDone = keyof typeof done;

/** What became of one schedule, for the person who asked. */
export function scheduleMessage(view: ScheduleView, what: ScheduleDone): Message {
  const text = `${done[what]}: ${plain(view.action, 20)} of ${plain(view.environment, 60)}`;
  const next =
    what === 'remove' || view.next.length === 0 ? '' : `\nNext: ${view.next.map((at) => plain(at, 80)).join('; ')}`;
  return { text, blocks: [section(`*${text}*\n${sayWhen(view)}${next}`)] };
}

export function schedulesMessage(schedules: readonly ScheduleView[]): Message {
  if (schedules.length === 0) {
    const none =
      'Nothing is asked for at set times. `/tas schedule add validate env:… cron:"0 3 * * *"` makes a schedule.';
    return { text: 'Nothing is asked for at set times.', blocks: [section(none)] };
  }
  const text = `${schedules.length} ${schedules.length === 1 ? 'schedule' : 'schedules'}`;
  return { text, blocks: sections([`*${text}*`, ...schedules.map(lineOf)]) };
}

function lineOf(view: ScheduleView): string {
  const [next] = view.next;
  const state = view.paused
    ? `⏸ paused${view.pausedBy === null ? '' : ` by ${plain(view.pausedBy.name, 60)}`}`
    : `next ${next === undefined ? 'never' : plain(next, 80)}`;
  const name = `*${plain(view.action, 20)} of ${plain(view.environment, 60)}*`;
  return `${name} · ${state}\n${sayWhen(view)} · last: ${sayLast(view.last)} · ${sayOrigin(view)}`;
}

function sayOrigin({ configured, editor }: ScheduleView): string {
  return configured === null
    ? `asks in the name of ${plain(editor.name, 60)}`
    : `from the configuration (${plain(configured, 60)})`;
}

function sayWhen({ id, cron, zone, quiet }: ScheduleView): string {
  return `${code(id)} · ${code(cron)} ${plain(zone, 60)}${quiet ? ' · only news' : ''}`;
}

function sayLast(last: Firing | null): string {
  if (last === null) return 'never';
  const ran = last.runId === null ? '' : ` ${code(last.runId)}`;
  return `${sayUtc(last.dueAt)} ${last.outcome === 'claimed' ? 'is being asked for' : last.outcome}${ran}`;
}
