import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import { digestOf } from '../../shared/json.ts';
import { durationText, milliseconds } from '../wait-for.ts';
import type { Client, HttpAnswer } from './client.ts';
import { valuesAt } from './pointer.ts';

const pointer = z.string().regex(/^(\/[^/]*)+$/, 'a JSON pointer, e.g. /data/id');
export const pathText = z
  .string()
  .max(2000)
  .regex(/^\/(?!\/)/, 'begins with one slash');
const status = z.number().int().min(100).max(599);

const expectation = z.strictObject({
  at: pointer.describe('Where in the answer, as a JSON pointer.'),
  equals: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  matches: z.string().max(500).optional().describe('A regular expression over the whole text.'),
  exists: z.boolean().optional(),
  atLeast: z.number().optional().describe('For a number its least value, for a list its least length.'),
});

/** One request of a workflow. */
export const workflowStep = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  title: z.string().max(200).optional(),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: pathText.describe('Under the configured address; `{name}` is filled in.'),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.json().optional().describe('Sent as JSON; `{name}` in its texts is filled in.'),
  expect: z
    .strictObject({ status: z.union([status, z.array(status).min(1)]), json: z.array(expectation).default([]) })
    .describe('What the answer must be.'),
  save: z
    .record(z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/), pointer)
    .default({})
    .describe('name → JSON pointer.'),
  within: durationText.default('30s').describe('For each answer.'),
  retries: z.number().int().min(0).max(60).default(0).describe('Asked again so often, a second apart.'),
});
export type WorkflowStep = z.infer<typeof workflowStep>;

/** Values that steps may name: `{run}` and what was saved. Never shown. */
export type Values = Map<string, string>;

/** `{run}`: the same for a run's step whenever it is asked, so that after a crash the same records are met. */
export function valuesOf(runId: string, stepId: string): Values {
  return new Map([['run', `tas-check-${digestOf([runId, stepId]).slice(0, 12)}`]]);
}

const placeholder = /\{([a-z][A-Za-z0-9]*)\}/g;

/** The names that a step uses, `{run}` left out. */
export function namesIn({ path, headers, body, expect }: WorkflowStep): readonly string[] {
  const text = [path, ...Object.values(headers), ...textsIn(body), ...textsIn(expect.json.map(({ equals }) => equals))];
  const names = text.flatMap((one) => [...one.matchAll(placeholder)].map((match) => match[1] ?? ''));
  return [...new Set(names)].filter((name) => name !== 'run');
}

/** Asks until the answer is as expected, and keeps what it saves. Failures tell step, method, path and which expectation. */
export async function runWorkflowStep(
  client: Client,
  step: WorkflowStep,
  values: Values,
  signal?: AbortSignal,
): Promise<void> {
  for (let tried = 0; ; tried += 1) {
    const unmet = await ask(client, step, values, signal);
    if (unmet === null) return;
    if (tried >= step.retries) {
      throw new Failure({
        code: 'step-failed',
        message: `${client.name}: ${step.id} (${step.method} ${step.path}) ${unmet}.`,
        advice: 'See the log of the service. What the workflow made is cleaned up; then retry, or undo the run.',
        retryable: true,
      });
    }
    await pause(1_000, undefined, signal ? { signal } : {});
  }
}

/** Which expectation is not met, without any value; null = all are. */
async function ask(client: Client, step: WorkflowStep, values: Values, signal?: AbortSignal): Promise<string | null> {
  const headers = Object.entries(step.headers).map(([name, value]) => [name, fillText(value, values)] as const);
  const answer = await client.send({
    method: step.method,
    path: step.path.replaceAll(placeholder, (_all, name: string) => encodeURIComponent(values.get(name) ?? '')),
    headers: Object.fromEntries(headers),
    withinMs: milliseconds(step.within),
    ...(step.body === undefined ? {} : { body: fill(step.body, values) }),
    ...(signal ? { signal } : {}),
  });
  const wanted = [step.expect.status].flat();
  if (!wanted.includes(answer.status)) return `answers ${answer.status}, not ${wanted.join(' or ')}`;
  for (const expected of step.expect.json) {
    if (!isMet(answer, expected, values)) return `answers ${answer.status}, but ${sayExpectation(expected)}`;
  }
  for (const [name, at] of Object.entries(step.save)) {
    const [value] = valuesAt(answer.json, at);
    if (typeof value !== 'string' && typeof value !== 'number')
      return `answers ${answer.status}, but has no ${at} to save`;
    values.set(name, String(value));
  }
  return null;
}

function isMet({ json }: HttpAnswer, expected: z.infer<typeof expectation>, values: Values): boolean {
  const { at, equals, matches, exists, atLeast } = expected;
  const found = valuesAt(json, at);
  if (exists === false) return found.length === 0;
  if (found.length === 0) return false;
  if (equals !== undefined && !found.every((value) => value === fill(equals, values))) return false;
  if (matches !== undefined && !found.every((value) => new RegExp(`^(?:${matches})$`, 'u').test(String(value)))) {
    return false;
  }
  const size = (value: unknown): number => (Array.isArray(value) ? value.length : Number(value));
  return atLeast === undefined || found.every((value) => size(value) >= atLeast);
}

/** As it is written in the file: nothing of the answer. */
function sayExpectation({ at, equals, matches, exists, atLeast }: z.infer<typeof expectation>): string {
  if (equals !== undefined) return `${at} is not as expected`;
  if (matches !== undefined) return `${at} does not match ${matches}`;
  if (atLeast !== undefined) return `${at} is less than ${atLeast}`;
  return exists === false ? `${at} is there` : `${at} is missing`;
}

const fillText = (text: string, values: Values): string =>
  text.replaceAll(placeholder, (all, name: string) => values.get(name) ?? all);

function fill(value: unknown, values: Values): unknown {
  if (typeof value === 'string') return fillText(value, values);
  if (Array.isArray(value)) return value.map((item) => fill(item, values));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, values)]));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [];
}
