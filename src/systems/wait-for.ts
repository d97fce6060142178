import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { sayDuration } from '../shared/duration.ts';
import type { Failure } from '../shared/failure.ts';
import type { Json } from '../shared/json.ts';
import type { BatchRequest, BatchResult } from './system.ts';

export { durationSchema as durationText, millisecondsOf as milliseconds } from '../shared/duration-text.ts';

/** A batch that waits ends after this long, so that people can pause the run and see what it waits for. */
const longestBatch = 5_000;
const betweenLooks = 250;

/** What a waiting step remembers between its batches. */
const waitCursor = z.object({ waitedMs: z.number() });

interface Wait {
  /** How long the step may wait in all, without what people paused it for. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
  /** What it still waits for, in words; null = it is there. */
  look(): Promise<string | null>;
  /** What the step fails with when the time is over; `waited` in words. */
  tooLong(waitsFor: string, waited: string): Failure | Promise<Failure>;
}

/**
 * One batch of a step that waits: looks until what it waits for is there, for a few seconds at most. The answer's cursor is
 * null when it is; else it holds how long the step has waited so far, and the note says what for.
 */
export async function waitFor(batch: Pick<BatchRequest, 'cursor'>, wait: Wait): Promise<BatchResult> {
  const before = waitedSoFar(batch.cursor);
  const started = performance.now();
  for (;;) {
    const waitsFor = await wait.look();
    if (waitsFor === null) return { cursor: null, done: 0 };
    const waited = performance.now() - started;
    if (before + waited >= wait.withinMs) throw await wait.tooLong(waitsFor, sayDuration(before + waited));
    if (waited >= longestBatch) {
      const left = sayDuration(wait.withinMs - before - waited);
      return { cursor: { waitedMs: Math.round(before + waited) }, done: 0, note: `${waitsFor}; gives up in ${left}` };
    }
    await pause(betweenLooks, undefined, { signal: wait.signal });
  }
}

/** Milliseconds that the batches before this one have waited. */
export function waitedSoFar(cursor: Json): number {
  const known = waitCursor.safeParse(cursor);
  return known.success ? known.data.waitedMs : 0;
}
