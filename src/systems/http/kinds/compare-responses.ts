import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, readingPreview, type StepKind } from '../../system.ts';
import type { Client } from '../client.ts';
import { typeOf, valuesAt } from '../pointer.ts';
import { pathText } from '../workflow.ts';

const request = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,59}$/),
  path: pathText,
  headers: z.record(z.string(), z.string()).default({}),
  status: z.number().int().min(100).max(599).default(200),
  reads: z
    .array(
      z.strictObject({
        at: z
          .string()
          .regex(/^(\/[^/]*)+$/)
          .describe('A JSON pointer; `*` = every element of a list.'),
        type: z.enum(['string', 'number', 'boolean', 'object', 'array', 'null']),
        optional: z.boolean().default(false).describe('May be missing or null.'),
      }),
    )
    .default([])
    .describe('The fields that the caller reads, and what they must be.'),
});
type Request = z.infer<typeof request>;

/** Tries the calls of a client that is in use (the old frontend) on a service that was changed, by the fields that it reads. */
export function compareResponsesKind(client: Client): StepKind {
  return defineStepKind({
    name: 'http.compare-responses',
    effect: 'reads',
    input: z.strictObject({ requests: z.array(request).min(1).max(200) }),
    describe: ({ requests }) => `try ${requests.length} calls of the present clients on ${client.name}`,
    // Tried on what runs now: what does not fit today would not be the upgrade's doing.
    preview: async ({ requests }, { signal }) => ({
      ...readingPreview,
      findings: (await compareAll(client, requests, signal)).map(
        (finding): Finding => (finding.status === 'failed' ? { ...finding, status: 'warning' } : finding),
      ),
    }),
    performBatch: async () => ({ cursor: null, done: 0 }),
    verify: ({ requests }, { signal }) => compareAll(client, requests, signal),
    narrow: () => null,
  });
}

async function compareAll(client: Client, requests: readonly Request[], signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const one of requests) findings.push(await compare(client, one, signal));
  return findings;
}

async function compare(client: Client, one: Request, signal: AbortSignal): Promise<Finding> {
  const { path, headers, status, reads } = one;
  const found = { check: `response-${one.id}`, title: `GET ${path} answers as its callers read it` };
  const samples: string[] = [];
  try {
    const answer = await client.send({ method: 'GET', path, headers, withinMs: 30_000, signal });
    if (answer.status !== status) samples.push(`it answers ${answer.status}, not ${status}`);
    else samples.push(...reads.flatMap((read) => misfit(answer.json, read) ?? []));
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled') throw error;
    samples.push(error.message);
  }
  if (samples.length === 0) return { ...found, status: 'passed', count: 0, samples };
  const advice = 'A client that is in use reads this: keep it in the answer, or bring the client up to date first.';
  return { ...found, status: 'failed', count: samples.length, samples: samples.slice(0, 5), advice };
}

function misfit(json: unknown, { at, type, optional }: Request['reads'][number]): string | null {
  // An empty list has no elements that could be read.
  const [list] = valuesAt(json, at.split('/*')[0] ?? '');
  if (at.includes('/*') && Array.isArray(list) && list.length === 0) return null;
  const values = valuesAt(json, at);
  if (values.length === 0) return optional ? null : `${at} is missing`;
  const wrong = values.find((value) => typeOf(value) !== type && !(optional && value === null));
  return wrong === undefined ? null : `${at} is ${typeOf(wrong)}, not ${type}`;
}
