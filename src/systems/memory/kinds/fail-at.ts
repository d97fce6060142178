import { z } from 'zod';
import { Failure, type FailureCode } from '../../../shared/failure.ts';
import { defineStepKind, type StepKind } from '../../system.ts';
import { type KindSetting, previewOf, runBatch } from '../batch.ts';
import { batchName } from '../memory-store.ts';

const codes = [
  'unreachable',
  'missing-rights',
  'disk-full',
  'precondition-failed',
  'conflict',
  'timed-out',
  'cancelled',
  'step-failed',
] as const satisfies readonly FailureCode[];

const inputSchema = z.strictObject({
  /** Batches before this one are kept and change nothing. */
  batch: z.number().int().min(0),
  code: z.enum(codes),
  /** How many times it fails before it passes; absent = always. */
  times: z.number().int().min(1).optional(),
  retryable: z.boolean().default(false),
});

/** Fails on demand. Changes nothing. */
export function failAtKind(setting: KindSetting): StepKind {
  const { store } = setting;
  return defineStepKind<z.infer<typeof inputSchema>>({
    name: 'memory.fail-at',
    effect: 'changes',
    input: inputSchema,
    describe: ({ batch, code }) => `fails as ${code} at batch ${batch}`,
    preview: async () => previewOf([], []),
    performBatch: (input, batch, context) =>
      runBatch(setting, context, batch, async () => {
        const name = batchName({ ...context, index: batch.index });
        const failed = store.failures.get(name) ?? 0;
        if (batch.index >= input.batch && failed < (input.times ?? Infinity)) {
          store.failures.set(name, failed + 1);
          throw new Failure({
            code: input.code,
            message: `${context.stepId} was told to fail as ${input.code}.`,
            advice: 'It is a step of a test.',
            retryable: input.retryable,
          });
        }
        const cursor = batch.index >= input.batch ? null : batch.index + 1;
        return { body: { changes: [], conflicts: [] }, result: { cursor, done: 0 } };
      }),
    previewUndo: async () => previewOf([], []),
    undoBatch: (_input, batch, context) =>
      runBatch(setting, context, batch, async () => ({
        body: { changes: [], conflicts: [] },
        result: { cursor: null, done: 0, kept: 0, missing: 0 },
      })),
  });
}
