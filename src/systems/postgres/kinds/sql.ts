import { defineStepKind, type StepKind } from '../../system.ts';
import { type KindSetting, rowManner } from '../batch.ts';
import { shorten } from '../sql/parse.ts';
import { previewRaw } from '../sql/preview-raw.ts';
import { type RawStep, rawInput } from '../sql/raw-step.ts';
import { performRaw, previewRawUndo, undoRaw } from '../sql/run-raw.ts';
import { previewUndo, undoBatch } from '../undo.ts';

/** Statements as they stand, for what no other kind can do. */
export function sqlKind(setting: KindSetting): StepKind {
  const isByRows = ({ inverse, oneWay }: RawStep): boolean => inverse === undefined && oneWay !== true;
  return defineStepKind<RawStep>({
    name: 'postgres.sql',
    // At most: each preview says what its statements do.
    effect: 'destroys',
    input: rawInput,
    describe: ({ statements, oneWay }) =>
      `carries out SQL${oneWay ? ' that cannot be undone' : ''}: ${shorten(statements, 200)}`,
    preview: (step, context) => previewRaw(setting, step, context),
    performBatch: (step, batch, context) => performRaw(setting, step, batch, context),
    // Single conflicts are of records: a way back by statements has none, and `undo.ts` then undoes nothing.
    previewUndo: (step, context) =>
      isByRows(step) || context.force ? previewUndo(setting, context) : previewRawUndo(setting, step, context),
    undoBatch: (step, batch, context) =>
      isByRows(step) || context.force
        ? undoBatch(setting, batch, context, rowManner)
        : undoRaw(setting, step, batch, context),
    undoForces: true,
  });
}
