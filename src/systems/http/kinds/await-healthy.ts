import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { defineStepKind, readingPreview, type StepKind } from '../../system.ts';
import { durationText, milliseconds, waitFor } from '../../wait-for.ts';
import type { Client } from '../client.ts';
import { pathText } from '../workflow.ts';

/** Waits until the service answers as it does when it is well. */
export function awaitHealthyKind(client: Client, health: string): StepKind {
  return defineStepKind({
    name: 'http.await-healthy',
    effect: 'reads',
    input: z.strictObject({
      path: pathText.optional().describe('Absent = the configured path of health.'),
      status: z.number().int().min(100).max(599).default(200),
      within: durationText.describe('The step fails after so long, e.g. 5m.'),
    }),
    describe: ({ within }) => `wait until ${client.name} is healthy, at most ${within}`,
    preview: async () => readingPreview,
    performBatch: ({ path = health, status, within }, batch, { signal }) =>
      waitFor(batch, {
        withinMs: milliseconds(within),
        signal,
        look: () => lookAt(client, path, status, signal),
        tooLong: (waitsFor, waited) =>
          new Failure({
            code: 'timed-out',
            message: `After ${waited} ${waitsFor}.`,
            advice: 'Nothing was changed by waiting. See the log of the service, then retry; or undo the run.',
            retryable: true,
          }),
      }),
    narrow: () => null,
  });
}

async function lookAt(client: Client, path: string, status: number, signal: AbortSignal): Promise<string | null> {
  try {
    const answer = await client.send({ method: 'GET', path, withinMs: 3_000, signal });
    return answer.status === status ? null : `${client.name} answers ${answer.status} at ${path}, not ${status}`;
  } catch (error) {
    if (error instanceof Failure && error.code === 'unreachable') return error.message.replace(/\.$/, '');
    throw error;
  }
}
