import { z } from 'zod';
import { sayDuration } from '../../../shared/duration.ts';
import { Failure } from '../../../shared/failure.ts';
import type { Finding } from '../../finding.ts';
import { type BatchRequest, type BatchResult, defineStepKind, type StepContext, type StepKind } from '../../system.ts';
import { durationText, milliseconds, waitedSoFar, waitFor } from '../../wait-for.ts';
import type { Client } from '../client.ts';
import { judge } from '../judge.ts';
import { haveOwnIds, metricFields, previewQueries } from '../queries.ts';
import { meanOver, serverNow } from '../values.ts';

const metric = z.strictObject({
  ...metricFields,
  worse: z.enum(['higher', 'lower']).describe('Which way is bad: errors and delays higher, throughput lower.'),
  tolerancePercent: z.number().min(0).max(10_000).describe('How much worse it may be, in percent of what it was.'),
  floor: z
    .number()
    .optional()
    .describe('What does not matter: up to this value where higher is worse, from this value on where lower is.'),
});

const inputSchema = z.strictObject({
  queries: z.array(metric).min(1).max(50).refine(haveOwnIds, 'two queries have the same id'),
  before: z
    .union([z.literal('run start'), durationText])
    .default('run start')
    .describe('The end of the time that is compared with: `run start`, or so long ago, e.g. 2h.'),
  over: durationText.describe('How long is measured on both sides. After: the step waits for so long first.'),
});
type Input = z.infer<typeof inputSchema>;

/** Compares metrics after with before: the same length of time on both sides, from Prometheus's own history. */
export function compareMetricsKind(client: Client): StepKind {
  return defineStepKind<Input>({
    name: 'prometheus.compare-metrics',
    effect: 'reads',
    input: inputSchema as z.ZodType<Input>,
    describe: ({ queries, before, over }) =>
      `compare ${queries.length} metrics over ${over} with ${before === 'run start' ? 'before the run' : `${before} ago`}`,
    preview: ({ queries }, context) => previewQueries(client, queries, 'one series', context),
    performBatch: ({ over }, batch, { signal }) => measureFor(client, milliseconds(over), batch, signal),
    verify: (input, context) => compare(client, input, context),
  });
}

/** Waits until what is measured as "after" lies after this step's beginning: not the minutes in which services were down. */
function measureFor(client: Client, overMs: number, batch: BatchRequest, signal: AbortSignal): Promise<BatchResult> {
  const started = performance.now() - waitedSoFar(batch.cursor);
  return waitFor(batch, {
    withinMs: overMs + 60_000,
    signal,
    async look() {
      const left = overMs - (performance.now() - started);
      return left <= 0 ? null : `measures for another ${sayDuration(left)}`;
    },
    tooLong: () =>
      new Failure({
        code: 'timed-out',
        message: `${client.name}: measuring did not come to its end.`,
        advice: 'Nothing was changed by it. Retry.',
        retryable: true,
      }),
  });
}

async function compare(client: Client, input: Input, { sequenceBase, signal }: StepContext): Promise<Finding[]> {
  const overMs = milliseconds(input.over);
  const now = await serverNow(client, signal);
  // The base of a run's generated ids is the moment of its start, in microseconds.
  const then = input.before === 'run start' ? Number(sequenceBase) / 1000 : now - milliseconds(input.before);
  const findings: Finding[] = [];
  for (const asked of input.queries) {
    const before = await meanOver(client, asked.query, { end: then, overMs }, signal);
    const after = await meanOver(client, asked.query, { end: now, overMs }, signal);
    findings.push(judge(asked, before, after));
  }
  return findings;
}
