import type { ConflictReport, Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { backupDone } from './backup-card.ts';
import { type Beside, nothingBeside, runLink } from './beside.ts';
import { button, type Tokens } from './button.ts';
import { drillDone } from './drill-card.ts';
import { code, mentionUser, plain } from './escape.ts';
import { progressLine } from './evidence.ts';
import { findingLines } from './findings.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { actions, context, type Message, section, sections } from './message.ts';
import { nextBlocks, nextOfDone } from './next.ts';
import { rollbackReport } from './rollback-report.ts';
import { sayCount, sayHeadline, sayUndo } from './say.ts';
import { validationReport } from './validation-report.ts';

/** The post at the end of a run, by what was asked. It mentions the person who asked. */
export function doneCard(
  run: Run,
  tokens: Tokens,
  conflicts: ConflictReport,
  now: Date,
  beside: Beside = nothingBeside,
): Message {
  if (run.plan.action === 'validate') return validationReport(run, now, beside.link);
  if (run.plan.action === 'backup') return backupDone(run, now, beside.link);
  if (run.plan.action === 'drill') return drillDone(run, now, beside.link);
  if (run.plan.action === 'rollback') return rollbackReport(run, conflicts, tokens, now, beside);
  return changedCard(run, tokens, now, beside);
}

/** A migration or a restore: what changed, how long it took, how to undo it. */
function changedCard(run: Run, tokens: Tokens, now: Date, { link, outlook }: Beside): Message {
  const headline = plain(sayHeadline(run));
  const measure = measureRun(run, now);
  const took = measure.milliseconds === null ? '' : ` in ${sayDuration(measure.milliseconds)}`;
  const written = measure.steps.filter(({ step }) => step.effect !== 'reads');
  const undoable = run.plan.undoClass !== 'one-way' && run.undoneBy === null;
  const undo =
    run.undoneBy === null ? sayUndo(run.plan.undoClass, run.plan.holdDays) : `undone by ${code(run.undoneBy)}`;
  return fitCard({
    text: `Done: ${headline}`,
    head: [
      section(
        `✓ *Done: ${headline}*\n${mentionUser(run.requester.id)}: ${sayCount(measure.done)} records written${took}.`,
      ),
    ],
    body: [...sections(written.map(progressLine)), ...sections(run.findings.flatMap(findingLines))],
    tail: [
      ...nextBlocks(nextOfDone(run, outlook)),
      context(
        `${runLink(run.id, link)} · ${undo}${run.backupId === null ? '' : ` · backup set from before: ${code(run.backupId)}`}`,
      ),
      ...actions([
        run.plan.canary === null ? null : button('continue', tokens, { style: 'primary' }),
        undoable ? button('undo', tokens) : null,
        button('details', tokens),
      ]),
    ],
  });
}
