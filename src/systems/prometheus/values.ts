import { z } from 'zod';
import type { Client } from './client.ts';

/** A moment in seconds and a number as text: `NaN`, `+Inf` and `-Inf` are no JSON. */
const point = z.tuple([z.number(), z.string()]);
const instant = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: point })) }),
  z.object({ resultType: z.literal('scalar'), result: point }),
  z.object({ resultType: z.literal('matrix'), result: z.array(z.unknown()) }),
  z.object({ resultType: z.literal('string'), result: z.unknown() }),
]);
const ranged = z.object({ result: z.array(z.object({ values: z.array(point) })) });

/** What a query gives at one moment: a number for each series; null = it gives no numbers (a range or a text). */
export async function valuesNow(
  client: Client,
  query: string,
  signal?: AbortSignal,
): Promise<readonly number[] | null> {
  const answer = await client.ask('/query', { query }, instant, signal);
  if (answer.resultType === 'vector') return answer.result.map(({ value }) => numberOf(value[1]));
  if (answer.resultType === 'scalar') return [numberOf(answer.result[1])];
  return null;
}

/** The server's own clock, in milliseconds: it may differ from ours. */
export async function serverNow(client: Client, signal?: AbortSignal): Promise<number> {
  const [seconds = 0] = (await valuesNow(client, 'time()', signal)) ?? [];
  return seconds * 1000;
}

/** A stretch of time that ends at `end`; both in milliseconds. */
export interface Window {
  readonly end: number;
  readonly overMs: number;
}

/** At most so many points of a series are asked for. */
const mostPoints = 120;

export interface Series {
  readonly values: readonly number[];
  /** Of the first and the last value, in milliseconds. */
  readonly from: number;
  readonly to: number;
}

/** How far apart the points of a window are, in milliseconds. */
export function stepOf({ overMs }: Window): number {
  return Math.max(1_000, Math.ceil(overMs / mostPoints / 1000) * 1000);
}

/** What the query gave in a window, a list of numbers for each series. What is not a number is left out. */
export async function valuesOver(
  client: Client,
  query: string,
  window: Window,
  signal?: AbortSignal,
): Promise<readonly Series[]> {
  const { end, overMs } = window;
  const parameters = {
    query,
    start: String((end - overMs) / 1000),
    end: String(end / 1000),
    step: String(stepOf(window) / 1000),
  };
  const { result } = await client.ask('/query_range', parameters, ranged, signal);
  return result.flatMap(({ values }) => {
    const good = values.filter(([, text]) => Number.isFinite(numberOf(text)));
    const [first, last] = [good[0], good.at(-1)];
    if (!first || !last) return [];
    return [{ values: good.map(([, text]) => numberOf(text)), from: first[0] * 1000, to: last[0] * 1000 }];
  });
}

/** The mean of what the query gave in a window, or why there is none. */
export async function meanOver(
  client: Client,
  query: string,
  window: Window,
  signal?: AbortSignal,
): Promise<{ readonly mean: number } | { readonly why: string }> {
  const series = await valuesOver(client, query, window, signal);
  if (series.length === 0) return { why: 'there is no data' };
  if (series.length > 1) return { why: `the query gives ${series.length} series` };
  const values = series[0]?.values ?? [];
  return { mean: values.reduce((sum, value) => sum + value, 0) / values.length };
}

/** A number as people read it, four digits at most. */
export function sayNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
