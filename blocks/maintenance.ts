import type { Window, WindowState } from '../src/maintenance/window.ts';
import type { MaintenanceNotice } from '../src/notices/notice.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { sayLocalTime } from '../src/shared/local-time.ts';
import { cut } from './cut.ts';
import { code, plain } from './escape.ts';
import { context, limits, type Message, section, sections } from './message.ts';
import { sayUtc } from './say.ts';
import { when } from './when.ts';

const stateWords: Readonly<Record<WindowState, string>> = {
  scheduled: '🗓 to come',
  active: '🛠 active',
  ended: '✓ over',
  cancelled: '∅ cancelled',
  missed: '∅ did not take place',
};

/** What users are told, in the words of the configuration: its own format works, what is filled in has none. */
export function maintenanceMessage(notice: MaintenanceNotice): Message {
  const { from, to } = notice;
  const values: Readonly<Record<string, string>> = {
    environment: plain(notice.environment, 60),
    from: bothTimes(from),
    to: bothTimes(to),
    duration: plain(sayDuration(Date.parse(to) - Date.parse(from)), 40),
    reason: plain(notice.reason, 500),
  };
  const named = (name: string): string => values[name] ?? '';
  const text = cut(notice.words, 1_000)
    .replaceAll(/\{([^{}]*)\}/g, (_all, name: string) => named(name))
    .trim();
  return { text: cut(text, limits.text), blocks: [section(text)] };
}

/** In the reader's own zone, and in UTC for those who write to each other about it. */
function bothTimes(iso: string): string {
  return `${when(iso)} (${plain(sayUtc(iso), 60)})`;
}

/** What became of one window, for the person who asked. */
export function windowMessage(window: Window, note: string | null): Message {
  const title = `${stateWords[window.state]}: ${plain(window.id, 40)} of ${plain(window.environment, 60)}`;
  return {
    text: title,
    blocks: [
      section(`*${title}*\n${times(window)}\n${plain(window.reason, 500)}`),
      ...(window.migration === null ? [] : [section(`${code(window.migration)} starts only then.`)]),
      ...(note === null ? [] : [section(`⚠ ${plain(note, 500)}`)]),
    ],
  };
}

export function windowsMessage(windows: readonly Window[]): Message {
  if (windows.length === 0) {
    const none = 'No maintenance window is planned or was this week.';
    return { text: none, blocks: [section(none)] };
  }
  const open = windows.filter(({ state }) => state === 'scheduled' || state === 'active').length;
  return {
    text: `${open} maintenance ${open === 1 ? 'window' : 'windows'} to come or active`,
    blocks: [
      ...sections(windows.slice(0, 100).map(windowLine)),
      context(`${code('/tas maintenance start|end|cancel <window>')} changes one.`),
    ],
  };
}

function windowLine(window: Window): string {
  const bound = window.migration === null ? '' : ` · only then ${code(window.migration)}`;
  const remark = window.remark === null ? '' : ` · ${plain(window.remark, 200)}`;
  return `${stateWords[window.state]} · ${code(window.id)} *${plain(window.environment, 60)}* · ${times(window)} · ${plain(window.reason, 200)}${bound}${remark}`;
}

/** In the zone in which it was asked for, so that the night of a clock change is seen, and in UTC. */
function times({ from, to, zone }: Window): string {
  const local = (iso: string): string => plain(sayLocalTime(iso, zone), 80);
  const utc = zone === 'UTC' ? '' : ` (${plain(sayUtc(from), 60)} – ${plain(sayUtc(to), 60)})`;
  return `${local(from)} – ${local(to)}${utc}, ${plain(sayDuration(Date.parse(to) - Date.parse(from)), 40)}`;
}
