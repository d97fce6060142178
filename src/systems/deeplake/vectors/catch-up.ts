import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { sayDuration } from '../../../shared/duration.ts';
import { Failure } from '../../../shared/failure.ts';
import type { Carried, Carrying, VectorSetting, VectorStore } from './vector-store.ts';

/** How far a dataset is. All of it may be lost: what is there already is found again by its ids. */
export const progressSchema = z.object({
  /** The next row of the source. */
  at: z.number(),
  pass: z.number(),
  /** Where this pass ends; null = wherever the source ends by then. */
  end: z.number().nullable(),
  /** Rows brought over in this pass. */
  worked: z.number(),
  /** The source's version at the end of the last pass, and how many passes have ended with it. */
  version: z.string(),
  same: z.number(),
  /** Milliseconds of the clock before which the endpoint is not to be asked. */
  notBefore: z.number(),
  /** How long the endpoint has not served. */
  failingMs: z.number(),
  tokens: z.number(),
});
export type Progress = z.infer<typeof progressSchema>;

export interface CatchUp {
  readonly carrying: Carrying;
  /** Rows at most in one batch. */
  readonly limit: number;
  /** Vectors a minute at most; null = as many as the endpoint takes. */
  readonly perMinute: number | null;
  /** How long the endpoint may fail before the step does. */
  readonly withinMs: number;
  /** How many rows the first pass may still bring over; null = all. Later ones bring what came in since. */
  readonly mayBring: number | null;
  /** The first row of the source that is looked at; absent = its first one. */
  readonly startAt?: number;
  readonly stepId: string;
}

export interface CaughtUp {
  /** Null = the target holds everything that the source holds. */
  readonly progress: Progress | null;
  readonly done: number;
  readonly note: string;
}

const fresh: Progress = {
  at: 0,
  pass: 1,
  end: null,
  worked: 0,
  version: '',
  same: 0,
  notBefore: 0,
  failingMs: 0,
  tokens: 0,
};

const longestBatch = 5_000;
const passesOfOneVersion = 4;

/**
 * One batch of bringing a target up to its source: pass after pass over the source, until one finds nothing to do. Waits for the
 * rate and for an endpoint that asks for it a few seconds at most; the rest is told in the note.
 */
export async function catchUp(
  { system }: VectorSetting,
  store: VectorStore,
  job: CatchUp,
  before: Progress | null,
  signal: AbortSignal,
): Promise<CaughtUp> {
  const { carrying, perMinute } = job;
  const progress = before ?? { ...fresh, at: job.startAt ?? 0 };
  const wait = progress.notBefore - Date.now();
  if (wait > 0) await pause(Math.min(wait, longestBatch), undefined, { signal });
  if (wait > longestBatch) return { progress, done: 0, note: waiting(carrying.source, wait - longestBatch, progress) };
  const started = Date.now();
  const limit = perMinute === null ? job.limit : Math.min(job.limit, Math.max(1, Math.floor(perMinute / 12)));
  const carried = await carry(system, store, { ...job, limit }, progress, signal);
  const done = carried.embedded + carried.copied;
  const tokens = progress.tokens + carried.tokens;
  const note = noteOf(carrying, carried, tokens);
  const paced = perMinute === null ? 0 : started + (carried.embedded / perMinute) * 60_000;
  const next: Progress = { ...progress, at: carried.at, worked: progress.worked + done, tokens, notBefore: paced };
  if (carried.busy !== null) {
    if (done === 0) giveUp(system, job, progress, carried);
    const { why, waitMs } = carried.busy;
    const failingMs = done > 0 ? 0 : progress.failingMs + waitMs + (Date.now() - started);
    const stuck = { ...next, notBefore: Math.max(paced, Date.now() + waitMs), failingMs };
    return { progress: stuck, done, note: `${note}; ${why}` };
  }
  const well: Progress = { ...next, failingMs: 0, end: next.end ?? (next.pass === 1 ? carried.rows : null) };
  if (well.at < Math.min(carried.rows, well.end ?? carried.rows)) return { progress: well, done, note };
  return { ...endPass(system, job, well, carried), done, note };
}

async function carry(
  system: string,
  store: VectorStore,
  { carrying, mayBring, limit, stepId }: CatchUp,
  { at, end, pass }: Progress,
  signal: AbortSignal,
): Promise<Carried> {
  if (mayBring === null || pass > 1) return store.carry(carrying, { at, end, limit }, signal);
  if (mayBring > 0) return store.carry(carrying, { at, end, limit: Math.min(limit, mayBring) }, signal);
  const counted = await store.carry(carrying, { at, end, limit, dry: true }, signal);
  if (counted.todo === 0) return counted;
  throw new Failure({
    code: 'over-cap',
    message: `${stepId} would bring over more vectors in ${system} than were approved.`,
    advice: 'This batch was not begun, earlier ones stand. See what came in since; then undo, or ask again.',
  });
}

/** A pass that found nothing to do, up to the source's very end, is the last one. */
function endPass(system: string, job: CatchUp, progress: Progress, { version }: Carried): Pick<CaughtUp, 'progress'> {
  if (progress.worked === 0 && progress.end === null) return { progress: null };
  const same = version === progress.version ? progress.same + 1 : 0;
  if (same >= passesOfOneVersion && progress.worked > 0) {
    throw new Failure({
      code: 'conflict',
      message: `${system}: ${job.carrying.source} has ids more than once, with different contents.`,
      advice: 'Nothing in it was changed. Take the older rows out, then retry.',
    });
  }
  return {
    progress: { ...progress, at: job.startAt ?? 0, end: null, worked: 0, pass: progress.pass + 1, version, same },
  };
}

function giveUp(system: string, { carrying, withinMs }: CatchUp, progress: Progress, { busy }: Carried): void {
  if (progress.failingMs < withinMs) return;
  throw new Failure({
    code: 'unreachable',
    message: `${system}: ${busy?.why ?? 'the embeddings endpoint fails'}, for ${sayDuration(progress.failingMs)} now.`,
    advice: `${carrying.source} serves as before, and what was embedded stands. See to the endpoint, then retry: it goes on where it is.`,
    retryable: true,
  });
}

function noteOf({ source }: Carrying, { there, rows }: Carried, tokens: number): string {
  if (rows === 0) return source;
  return `${source}: ${there} vectors of ${rows} rows are there${tokens > 0 ? `, for ${tokens} tokens` : ''}`;
}

function waiting(source: string, ms: number, { failingMs }: Progress): string {
  const why = failingMs > 0 ? 'the embeddings endpoint does not serve now' : 'the rate is limited';
  return `${source}: ${why}; goes on in ${sayDuration(ms)}`;
}
