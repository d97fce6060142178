import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { digestOf, type Json } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import { readingPreview, type StepContext, type StepPreview } from '../system.ts';
import type { Client } from './client.ts';
import { valuesNow } from './values.ts';

export const promql = z.string().min(1).max(5_000);

export const metricId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes')
  .describe('Id of the finding, stable over time.');

/** What steps that measure have in common. */
export const metricFields = {
  id: metricId,
  title: z.string().min(1).max(120).describe('What is measured, as people say it.'),
  query: promql.describe('PromQL that gives one series: aggregate with sum(), max() or the like.'),
};

/** Ids name findings: twice the same would hide one. */
export const haveOwnIds = (queries: readonly { readonly id: string }[]): boolean =>
  new Set(queries.map(({ id }) => id)).size === queries.length;

interface Asked {
  readonly id: string;
  readonly title: string;
  readonly query: string;
}

/** A preview that has the server read each query: one that it cannot read refuses the plan, one without data is told. */
export async function previewQueries(
  client: Client,
  queries: readonly Asked[],
  most: 'one series' | 'any series',
  { signal }: StepContext,
): Promise<StepPreview> {
  const findings: Finding[] = [];
  for (const asked of queries) findings.push(await tryQuery(client, asked, most, signal));
  const schemaHash = digestOf(queries.map(({ id, query }) => [id, query]) as Json);
  return { ...readingPreview, count: queries.length, schemaHash, findings };
}

async function tryQuery(client: Client, { id, title, query }: Asked, most: string, signal: AbortSignal) {
  const refused = (advice: string): Finding => ({
    check: id,
    title: `Query: ${title}`,
    status: 'failed',
    count: 1,
    samples: [],
    advice,
  });
  try {
    const values = await valuesNow(client, query, signal);
    if (values === null)
      return refused('It gives a range or a text, not numbers: wrap it in rate() or avg_over_time().');
    if (values.length > 1 && most === 'one series') {
      return refused(`It gives ${values.length} series: aggregate with sum(), max() or the like.`);
    }
    if (values.length > 0) return { ...refused(''), status: 'passed', count: 0, advice: '' } satisfies Finding;
    const advice = 'It gives nothing now; the finding will be skipped where that stays so.';
    return { ...refused(advice), status: 'warning' } satisfies Finding;
  } catch (error) {
    if (error instanceof Failure && error.code === 'invalid-statement') return refused(error.message);
    throw error;
  }
}
