import { z } from 'zod';
import { sayDuration } from '../../../shared/duration.ts';
import { Failure } from '../../../shared/failure.ts';
import { defineStepKind, type StepKind } from '../../system.ts';
import { durationText, milliseconds, waitFor } from '../../wait-for.ts';
import type { Client } from '../client.ts';
import { previewQueries, promql } from '../queries.ts';
import { sayNumber, serverNow, stepOf, valuesOver } from '../values.ts';

/** Waits until a metric has been below a limit for some time, in all of its series. */
export function awaitQuietKind(client: Client): StepKind {
  return defineStepKind({
    name: 'prometheus.await-quiet',
    effect: 'reads',
    input: z.strictObject({
      query: promql.describe('PromQL; every series that it gives has to be below the limit.'),
      below: z.number().describe('The limit.'),
      for: durationText.describe('For how long, without a break, e.g. 2m.'),
      within: durationText.describe('The step fails after so long, e.g. 30m.'),
    }),
    describe: (input) => `wait until ${input.query.slice(0, 80)} is below ${input.below} for ${input.for}`,
    preview: ({ query }, context) =>
      previewQueries(client, [{ id: 'quiet', title: query.slice(0, 80), query }], 'any series', context),
    performBatch: (input, batch, { signal }) =>
      waitFor(batch, {
        withinMs: milliseconds(input.within),
        signal,
        look: () => lookForNoise(client, input.query, input.below, milliseconds(input.for), signal),
        tooLong: (waitsFor, waited) =>
          new Failure({
            code: 'timed-out',
            message: `${client.name}: after ${waited} ${waitsFor}.`,
            advice: 'Nothing was changed by waiting. See what keeps it up, then retry; or undo the run.',
            retryable: true,
          }),
      }),
  });
}

/** Why it is not quiet, in words. No data is no quiet: a metric that nobody measures says nothing. */
async function lookForNoise(
  client: Client,
  query: string,
  below: number,
  overMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  const window = { end: await serverNow(client, signal), overMs };
  const series = await valuesOver(client, query, window, signal);
  if (series.length === 0) return 'there is no data';
  const last = Math.max(...series.map(({ values }) => values.at(-1) ?? 0));
  const worst = Math.max(
    ...series.map(({ values }) => values.reduce((most, value) => Math.max(most, value), -Infinity)),
  );
  if (worst >= below) return `the value is ${sayNumber(last)}, and was up to ${sayNumber(worst)} (limit ${below})`;
  const slack = 2 * stepOf(window);
  const start = Math.min(...series.map(({ from }) => from));
  const measured = window.end - start;
  if (measured < overMs - slack) return `it is quiet, but measured for ${sayDuration(measured)} only`;
  const newest = Math.max(...series.map(({ to }) => to));
  return window.end - newest > slack ? `the last value is ${sayDuration(window.end - newest)} old` : null;
}
