import { z } from 'zod';
import type { Failure } from '../../shared/failure.ts';
import type { BatchRequest, StepContext, UndoBatchResult } from '../system.ts';
import { waitFor } from '../wait-for.ts';
import type { Intent } from './change.ts';
import { type KindSetting, runPart } from './part.ts';

/** One thing after the other: what is done in one go, and what has to come about before the next may begin. */
export interface Part {
  /** Reads the cluster; called once, its answer stands in the journal. */
  plan(): Promise<Intent>;
  /** Absent = nothing has to be waited for. */
  readonly wait?: PartWait;
}

export interface PartWait {
  /** What is still missing, in words; null = nothing. */
  look(): Promise<string | null>;
  tooLong(waitsFor: string, waited: string): Failure | Promise<Failure>;
}

const cursorSchema = z.object({ part: z.number().int(), waiting: z.boolean(), waitedMs: z.number() });

/**
 * One batch of a step of parts: either a part is carried out, or what came of it is waited for, for a few seconds. `within`
 * is for all waiting of the step together, without what people paused it for. `partAt` answers null behind the last part.
 */
export async function walkParts(
  setting: KindSetting,
  context: StepContext,
  batch: BatchRequest,
  withinMs: number,
  partAt: (part: number) => Promise<Part | null> | Part | null,
): Promise<UndoBatchResult> {
  const { part, waiting, waitedMs } = cursorSchema.catch({ part: 0, waiting: false, waitedMs: 0 }).parse(batch.cursor);
  const current = await partAt(part);
  const nothing = { done: 0, kept: 0, missing: 0 };
  if (current === null) return { cursor: null, ...nothing };
  const next = async (waited: number) =>
    (await partAt(part + 1)) === null ? null : { part: part + 1, waiting: false, waitedMs: waited };
  if (!waiting) {
    const { done, kept, missing } = await runPart(setting, context, part, batch.done, () => current.plan());
    const cursor = current.wait ? { part, waiting: true, waitedMs } : await next(waitedMs);
    return { cursor, done, kept, missing };
  }
  const { wait } = current;
  if (!wait) return { cursor: await next(waitedMs), ...nothing };
  const started = performance.now();
  const seen = await waitFor({ cursor: { waitedMs } }, { withinMs, signal: context.signal, ...wait });
  const waited = Math.round(waitedMs + performance.now() - started);
  if (seen.cursor === null) return { cursor: await next(waited), ...nothing };
  return { cursor: { part, waiting: true, waitedMs: waited }, ...nothing, ...(seen.note ? { note: seen.note } : {}) };
}
