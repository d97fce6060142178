import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { defineStepKind, readingPreview, type StepContext, type StepKind } from '../../system.ts';
import type { Client } from '../client.ts';
import { namesIn, runWorkflowStep, type Values, valuesOf, type WorkflowStep, workflowStep } from '../workflow.ts';

const inputSchema = z
  .strictObject({
    title: z.string().max(200),
    steps: z.array(workflowStep).min(1).max(50).describe('Carried out in this order.'),
    cleanUp: z
      .array(workflowStep)
      .max(50)
      .default([])
      .describe(
        'Removes what the steps make: carried out in this order before them (what an earlier try left), after them, and ' +
          'after a failure. Knows `{run}` and what it saves itself, so that it works after a crash too.',
      ),
  })
  .superRefine((input, context) => {
    for (const list of ['steps', 'cleanUp'] as const) {
      const saved = new Set<string>();
      for (const [index, step] of input[list].entries()) {
        const unknown = namesIn(step).find((name) => !saved.has(name));
        if (unknown) {
          const message = `{${unknown}} is saved by no earlier step of ${list}`;
          context.addIssue({ code: 'custom', path: [list, index], message });
        }
        for (const name of Object.keys(step.save)) saved.add(name);
      }
    }
  });
type Input = z.infer<typeof inputSchema>;

/**
 * A workflow of users as requests. It is one batch: what it saves (tokens) is nowhere but in memory, so after a crash it
 * is cleaned up and done again from the first request on, with the same `{run}`.
 */
export function runWorkflowKind(client: Client): StepKind {
  return defineStepKind<Input>({
    name: 'http.run-workflow',
    effect: 'adds',
    input: inputSchema,
    describe: ({ title, steps }) => `${title} (${steps.length} requests, cleaned up afterwards)`,
    preview: async ({ steps }) => ({ ...readingPreview, count: changing(steps) }),
    async performBatch(input, _batch, context) {
      await perform(client, input, context);
      return { cursor: null, done: changing(input.steps) };
    },
    previewUndo: async ({ cleanUp }) => ({ ...readingPreview, count: cleanUp.length }),
    async undoBatch({ cleanUp }, _batch, { undoes }) {
      // Not to be failed by: the service may be the very thing that is undone. What it made was cleaned up when it ended.
      const failed = await cleanAll(client, cleanUp, valuesOf(undoes.runId, undoes.stepId));
      const note = failed.length === 0 ? {} : { note: `not cleaned up again: ${failed.join(', ')}` };
      return { cursor: null, done: cleanUp.length - failed.length, kept: 0, missing: failed.length, ...note };
    },
    narrow: () => null,
  });
}

const changing = (steps: readonly WorkflowStep[]): number => steps.filter(({ method }) => method !== 'GET').length;

async function perform(client: Client, { steps, cleanUp }: Input, context: StepContext): Promise<void> {
  const { runId, stepId, signal } = context;
  signal.throwIfAborted();
  await cleanAll(client, cleanUp, valuesOf(runId, stepId));
  const values = valuesOf(runId, stepId);
  let failure: unknown = null;
  try {
    for (const step of steps) await runWorkflowStep(client, step, values, signal);
  } catch (error) {
    failure = error;
  }
  // Also when people stopped it: what was made has to go.
  const left = await cleanAll(client, cleanUp, valuesOf(runId, stepId));
  if (failure instanceof Failure) throw left.length === 0 ? failure : alsoLeft(failure, left);
  if (failure !== null) throw failure;
  if (left.length === 0) return;
  throw new Failure({
    code: 'step-failed',
    message: `${client.name}: the workflow went through, but its clean-up did not: ${left.join(', ')}.`,
    advice: `Retry cleans up first. What it made is named ${valuesOf(runId, stepId).get('run')}.`,
    retryable: true,
  });
}

/** Every one is tried, whatever became of the ones before. Answers which failed, in words without values. */
async function cleanAll(client: Client, cleanUp: readonly WorkflowStep[], values: Values): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const step of cleanUp) {
    if (namesIn(step).some((name) => !values.has(name))) {
      failed.push(`${step.id} lacks what an earlier one saves`);
      continue;
    }
    await runWorkflowStep(client, step, values).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failed.push(error.code === 'step-failed' ? error.message.replace(/^[^:]*: /, '').replace(/\.$/, '') : step.id);
    });
  }
  return failed;
}

function alsoLeft(failure: Failure, left: readonly string[]): Failure {
  const { code, message, retryable, cause } = failure;
  const advice = `Its clean-up failed too (${left.join(', ')}): retry cleans up first, or remove what it made by hand.`;
  return new Failure({ code, message, advice, retryable, cause });
}
