import { z } from 'zod';
import { findHolds, type SaveHolds, undoScope } from '../plans/find-holds.ts';
import { Failure } from '../shared/failure.ts';
import { defineStepKind, readingPreview, type StepKind, type System } from '../systems/system.ts';
import { performedRun } from './performed-run.ts';
import type { RunRecords } from './run-records.ts';

interface Deps {
  readonly systems: ReadonlyMap<string, System>;
  readonly records: RunRecords;
}

/** The step kind that goes before every undo: it finds the values that newer records refer to, and holds them. */
export function createUndoKinds(deps: Deps): readonly StepKind[] {
  const find = async (runId: string, save: SaveHolds): Promise<number> => {
    const run = await deps.records.find(runId);
    if (!run)
      throw new Failure({ code: 'unknown-run', message: `There is no run ${runId}.`, advice: 'Nothing was changed.' });
    return findHolds(deps.systems, undoScope(performedRun(run)), save);
  };
  return [
    defineStepKind({
      name: 'undo.find-references',
      effect: 'reads',
      input: z.strictObject({ runId: z.string() }),
      describe: (input) => `find what newer records refer to of what ${input.runId} wrote`,
      preview: async (input) => ({
        ...readingPreview,
        count: await find(input.runId, async () => undefined),
      }),
      performBatch: async (input, _batch, context) => ({
        cursor: null,
        done: await find(input.runId, (field, values) => deps.records.saveHolds(context.runId, field, values)),
      }),
    }),
  ];
}
