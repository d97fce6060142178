import { z } from 'zod';
import { sayDuration } from '../../shared/duration.ts';

/** How far a group is behind in one partition. */
export interface Lag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly messages: number;
}

/** What one look at the groups found. */
export interface Look {
  /** Where there is none left, the partition is not named. */
  readonly lags: readonly Lag[];
  /** Changes when any partition's end does: when somebody produces. */
  readonly ends: string;
  /** All messages that were ever written to these partitions. */
  readonly written: number;
  /** Groups that have no running consumer. */
  readonly withoutConsumers: readonly string[];
}

/** What a step that waits has seen so far: its cursor. Only time in which it looked counts. */
export const waitSchema = z.strictObject({
  waitedMs: z.number(),
  /** For how long there was no lag and no producer wrote. */
  stillMs: z.number(),
  /** Of the last look. */
  lag: z.number(),
  ends: z.string(),
  written: z.number(),
  firstLag: z.number(),
  firstWritten: z.number(),
  /** The smallest lag so far, and for how long there was none smaller. */
  leastLag: z.number(),
  stuckMs: z.number(),
});
export type Wait = z.infer<typeof waitSchema>;

export interface Limits {
  readonly withinMs: number;
  readonly stillForMs: number;
  readonly stuckForMs: number;
}

export type Verdict = 'drained' | 'wait' | 'stuck' | 'late';

export function sumOf(lags: readonly Lag[]): number {
  return lags.reduce((sum, { messages }) => sum + messages, 0);
}

/** Adds a look, made so many milliseconds after the one before. Null = it is the first. */
export function addLook(before: Wait | null, look: Look, passedMs: number): Wait {
  const lag = sumOf(look.lags);
  const { ends, written } = look;
  if (before === null) {
    const first = { firstLag: lag, firstWritten: written, leastLag: lag };
    return { waitedMs: 0, stillMs: 0, stuckMs: 0, lag, ends, written, ...first };
  }
  const still = lag === 0 && before.lag === 0 && ends === before.ends;
  const fell = lag < before.leastLag;
  return {
    ...before,
    lag,
    ends,
    written,
    waitedMs: before.waitedMs + passedMs,
    stillMs: still ? before.stillMs + passedMs : 0,
    leastLag: Math.min(lag, before.leastLag),
    stuckMs: fell || lag === 0 ? 0 : before.stuckMs + passedMs,
  };
}

export function judgeWait(wait: Wait, look: Look, limits: Limits): Verdict {
  const lag = sumOf(look.lags);
  if (lag === 0 && wait.stillMs >= limits.stillForMs) return 'drained';
  if (wait.waitedMs >= limits.withinMs) return 'late';
  return lag > 0 && wait.stuckMs >= limits.stuckForMs ? 'stuck' : 'wait';
}

/** What is waited for, with what is left where it can be told. */
export function sayWait(wait: Wait, look: Look): string {
  const lag = sumOf(look.lags);
  if (lag === 0) return 'nothing is left to read; waits until producers have been quiet for a while';
  const rate = ratesOf(wait);
  const left = rate.read > rate.written ? `, about ${sayDuration((lag / (rate.read - rate.written)) * 1000)} left` : '';
  return `${lag} messages are left to read${left}: ${sayLags(look.lags)}${sayIdle(look)}`;
}

/** Why it was given up: what is behind, how fast it falls, and what nobody reads. */
export function sayStuck(wait: Wait, look: Look): string {
  const { read, written } = ratesOf(wait);
  const perSecond = (rate: number): string => `${Math.round(rate * 10) / 10} messages a second`;
  if (look.lags.length === 0) return `producers still write, ${perSecond(written)}, and did not pause for long enough`;
  return `${sayLags(look.lags)}; ${perSecond(read)} are read and ${perSecond(written)} are written${sayIdle(look)}`;
}

function ratesOf({ waitedMs, firstLag, firstWritten, lag, written }: Wait): { read: number; written: number } {
  const seconds = Math.max(waitedMs, 1) / 1000;
  const wrote = written - firstWritten;
  return { read: Math.max(0, firstLag - lag + wrote) / seconds, written: wrote / seconds };
}

function sayLags(lags: readonly Lag[]): string {
  const worst = [...lags].sort((a, b) => b.messages - a.messages);
  const said = worst
    .slice(0, 3)
    .map(({ group, topic, partition, messages }) => `${group} ${topic}/${partition}: ${messages}`);
  return [...said, ...(worst.length > 3 ? [`${worst.length - 3} more partitions`] : [])].join(', ');
}

function sayIdle({ withoutConsumers }: Look): string {
  return withoutConsumers.length === 0 ? '' : `; no consumer runs in ${withoutConsumers.join(', ')}`;
}
