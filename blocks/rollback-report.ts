import type { ConflictReport, Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { type Beside, runLink } from './beside.ts';
import { button, type Tokens } from './button.ts';
import { code, mentionUser, plain } from './escape.ts';
import { progressLine } from './evidence.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { actions, context, type Message, section, sections } from './message.ts';
import { nextBlocks, nextOfDone } from './next.ts';
import { conflictWords, sayCount, sayHeadline, sayValue } from './say.ts';

type OneConflict = ConflictReport['conflicts'][number];

/** What an undo restored, what it kept and why, and what is gone. */
export function rollbackReport(
  run: Run,
  report: ConflictReport,
  tokens: Tokens,
  now: Date,
  { link, outlook }: Beside,
): Message {
  const headline = plain(sayHeadline(run));
  const measure = measureRun(run, now);
  // The report counts the missing ones as well.
  const kept = Math.max(0, report.total - measure.missing);
  const took = measure.milliseconds === null ? '' : ` in ${sayDuration(measure.milliseconds)}`;
  const numbers = `restored *${sayCount(measure.done)}* · kept *${sayCount(kept)}* · missing *${sayCount(measure.missing)}*`;
  const left = report.total - report.conflicts.length;
  return fitCard({
    text: `Undone: ${headline} — restored ${sayCount(measure.done)}, kept ${sayCount(kept)}`,
    head: [section(`✓ *Undone: ${headline}*\n${mentionUser(run.requester.id)}: ${numbers}${took}.`)],
    body: [
      ...(report.total === 0
        ? [section('Everything the run had written is as it was before.')]
        : sections(['*Kept as it is, because:*', ...report.conflicts.map(conflictLine)])),
      ...(left > 0 ? [context(`… and ${sayCount(left)} more: \`runs ${run.id}\``)] : []),
      ...sections(measure.steps.map(progressLine)),
    ],
    tail: [
      ...nextBlocks(nextOfDone(run, outlook)),
      context(runLink(run.id, link)),
      ...actions([button('details', tokens)]),
    ],
  });
}

/** `• Notebook nb-1, title: somebody changed it since — before A, the run wrote B, now C`. */
export function conflictLine(conflict: OneConflict): string {
  const where = `${plain(conflict.collection, 60)} ${code(conflict.key, 80)}, ${code(conflict.field, 60)}`;
  const values = `before ${code(sayValue(conflict.base))}, the run wrote ${code(sayValue(conflict.ours))}, now ${code(sayValue(conflict.theirs))}`;
  return `• ${where} (${plain(conflict.system, 40)}): *${conflictWords[conflict.reason]}* — ${values}`;
}
