import type { PageNotice } from '../src/notices/notice.ts';
import type { OnCallView, OpenPage } from '../src/oncall/on-call-desk.ts';
import type { Duty } from '../src/oncall/pager-duty.ts';
import { runLink } from './beside.ts';
import { code, mentionUser, plain, ticked } from './escape.ts';
import { context, type Message, section, sections } from './message.ts';
import { when } from './when.ts';

/** Somebody is needed, or no longer. */
export function pageMessage(page: PageNotice, link: string | null = null): Message {
  const summary = plain(page.summary, 300);
  const run = page.runId === null ? [] : [runLink(page.runId, link)];
  if (page.state === 'resolved') {
    const settled = section(`✓ *Settled:* ${summary}`);
    return { text: `Settled: ${summary}`, blocks: [settled, ...run.map(context)] };
  }
  const people = page.users.slice(0, 20).map(mentionUser).join(' ');
  const mark = page.severity === 'critical' ? '🚨' : '⚠';
  const notes = [...(page.note === null ? [] : [plain(page.note, 300)]), ...run];
  return {
    text: `${page.severity}: ${summary}`,
    blocks: [
      section(`${mark} *${summary}*${people === '' ? '' : `\n${people}`}\n${ticked(page.advice)}`),
      ...(notes.length === 0 ? [] : [context(notes.join(' · '))]),
    ],
  };
}

/** Who is on call, the contacts, and what somebody was called for and is not settled. */
export function onCallMessage(view: OnCallView): Message {
  const { duties, note, contacts, pages } = view;
  const where = view.environment === null ? '' : ` · ${plain(view.environment, 60)}`;
  const now = duties?.now ?? [];
  const title = now.length === 0 ? `On call${where}` : `On call${where}: ${plain(now[0]?.person ?? '', 80)}`;
  return {
    text: title,
    blocks: [
      section(`*${title}*`),
      ...(note === null ? [] : [section(`⚠ ${plain(note, 300)}`)]),
      ...(duties === null
        ? []
        : sections([
            ...(now.length === 0 ? ['⚠ Nobody is on call now.'] : now.slice(0, 30).map(dutyLine)),
            ...(duties.next.length === 0 ? [] : ['*Next*', ...duties.next.slice(0, 30).map(dutyLine)]),
          ])),
      ...(contacts.length === 0
        ? [section('No contacts are configured.')]
        : sections(['*Contacts*', ...contacts.slice(0, 60).map(contactLine)])),
      ...(pages.length === 0
        ? [context('Nobody has been called for anything that is not settled.')]
        : sections(['*Not settled*', ...pages.slice(0, 30).map(pageLine)])),
    ],
  };
}

function dutyLine({ person, level, policy, schedule, from, until }: Duty): string {
  const place = [plain(policy, 80), ...(schedule === null ? [] : [plain(schedule, 80)])].join(', ');
  const begins = from === null ? '' : ` from ${when(from)}`;
  const ends = until === null ? '' : ` until ${when(until)}`;
  return `• *${plain(person, 80)}* · level ${level} of ${place}${begins}${ends}`;
}

function contactLine({ name, role, user, phone }: OnCallView['contacts'][number]): string {
  const shown = user === undefined ? `*${plain(name, 80)}*` : `*${plain(name, 80)}* ${mentionUser(user)}`;
  return `• ${shown} · ${plain(role, 100)}${phone === undefined ? '' : ` · ${code(phone, 40)}`}`;
}

function pageLine({ severity, summary, raisedAt, runId, state }: OpenPage): string {
  const known = { acknowledged: ' · somebody has taken it up', triggered: ' · *nobody has taken it up yet*' };
  const run = runId === null ? '' : ` · ${code(runId)}`;
  return `${severity === 'critical' ? '🚨' : '⚠'} ${plain(summary, 300)} · ${when(raisedAt)}${run}${state === null ? '' : known[state]}`;
}
