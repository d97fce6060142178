import type { Run } from '../src/runs/run.ts';
import { bare, plain } from './escape.ts';
import { sampleLines } from './evidence.ts';
import { firstFitting } from './fit.ts';
import { context, limits, type Modal, plainText, sections } from './message.ts';
import { sayEffect } from './say.ts';

/** Every sample of a plan, before → after, step by step. Values are masked as they are in the plan. */
export function samplesWindow(run: Pick<Run, 'id' | 'plan'>): Modal {
  const steps = run.plan.stages.flatMap((stage) => stage.steps).filter((step) => step.samples.length > 0);
  const all = steps.flatMap((step) =>
    sections([
      `*${plain(step.system ?? 'the bot itself', 60)}* · ${sayEffect(step)} · ${plain(step.title, 160)}`,
      ...sampleLines(step, step.samples.length),
    ]),
  );
  const { blocks, left } = firstFitting(all, { places: limits.modalBlocks - 1, characters: limits.characters });
  const note =
    all.length === 0
      ? 'No step of this plan shows samples: it changes no single records.'
      : `Values are masked but for fields that the configuration shows.${left === 0 ? '' : ' … and more: `npx tas` in a terminal shows all.'}`;
  return {
    type: 'modal',
    callback_id: 'tas-samples',
    private_metadata: '',
    title: plainText(bare(`Samples of ${run.id}`, limits.modalTitle), limits.modalTitle),
    close: plainText('Close', limits.modalTitle),
    blocks: [...blocks, context(note)],
  };
}
