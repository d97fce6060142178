import type { Run } from '../src/runs/run.ts';
import { code, plain } from './escape.ts';
import { context, type Message, section, sections } from './message.ts';
import { sayAbout, sayTotals, statusWords } from './say.ts';
import { when } from './when.ts';

/** `waiting`: the list is of what waits for votes. */
export function runsMessage(runs: readonly Run[], waiting: boolean): Message {
  const title = waiting ? 'Waiting for votes' : 'Newest runs';
  const none = waiting ? 'Nothing waits for votes.' : 'There is no run yet.';
  const hint = waiting
    ? `Look at one and vote: ${code('/tas approve <run>')}`
    : `Look at one: ${code('/tas runs <run>')}`;
  return {
    text: `${title}: ${runs.length}`,
    blocks: [section(`*${title}*`), ...sections(runs.length === 0 ? [none] : runs.map(runLine)), context(hint)],
  };
}

export function runLine(run: Run): string {
  const totals = sayTotals(run.plan);
  return `• ${code(run.id)} *${plain(run.environment, 60)}* · ${plain(sayAbout(run.plan), 80)}${totals === '' ? '' : ` · ${totals}`} · ${plain(run.requester.name, 60)} · ${when(run.requestedAt)} · *${statusWords[run.status]}*`;
}
