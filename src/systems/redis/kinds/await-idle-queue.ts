import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { sayDuration } from '../../../shared/duration.ts';
import { durationSchema, millisecondsOf } from '../../../shared/duration-text.ts';
import { Failure } from '../../../shared/failure.ts';
import type { Json } from '../../../shared/json.ts';
import { type BatchResult, defineStepKind, readingPreview, type StepContext, type StepKind } from '../../system.ts';
import type { KindSetting } from '../flush.ts';
import { type Queue, readQueues } from '../queues.ts';

const inputSchema = z.strictObject({
  keys: z.array(z.string().min(1)).min(1).max(100).describe('Lists, sets, sorted sets or streams that hold work.'),
  within: durationSchema.default('5m').describe('How long to wait in all.'),
  stillFor: durationSchema.default('3s').describe('For how long all of them must be empty.'),
});
type Input = z.infer<typeof inputSchema>;

const batchMs = 4_000;
const lookEveryMs = 250;

/** Only time in which it looked counts. */
const cursorSchema = z.strictObject({ waitedMs: z.number(), stillMs: z.number(), first: z.number() });

/** Waits until queues have nothing left to do. A stream is idle when its groups have read and acknowledged everything. */
export function awaitIdleQueueKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'redis.await-idle-queue',
    effect: 'reads',
    input: inputSchema,
    describe: ({ keys, within }) => `waits until ${keys.join(', ')} hold no work, at most ${within}`,
    async preview({ keys }) {
      const queues = await readQueues(setting.connection, keys);
      const wrong = queues.filter(({ waiting }) => waiting === null).map(({ key }) => key);
      const samples = queues
        .filter(({ waiting }) => (waiting ?? 0) > 0)
        .slice(0, 5)
        .map(({ key, waiting }) => ({ collection: 'queues', key, before: { waiting }, after: { waiting: 0 } }));
      if (wrong.length === 0) return { ...readingPreview, samples };
      const title = 'Keys that hold no list, set or stream';
      const advice = 'Name the keys under which the work lies.';
      return {
        ...readingPreview,
        samples,
        findings: [
          { check: 'queues-there', title, status: 'failed', count: wrong.length, samples: wrong.slice(0, 5), advice },
        ],
      };
    },
    performBatch: (input, { cursor }, context) => waitOn(setting, input, cursor, context),
    narrow: () => null,
  });
}

async function waitOn(
  { connection, system }: KindSetting,
  { keys, within, stillFor }: Input,
  cursor: Json,
  context: StepContext,
): Promise<BatchResult> {
  const begun = performance.now();
  let wait = cursor === null ? null : cursorSchema.parse(cursor);
  for (let last = begun; ; ) {
    context.signal.throwIfAborted();
    const queues = await readQueues(connection, keys);
    const waiting = queues.reduce((sum, queue) => sum + (queue.waiting ?? 0), 0);
    const now = performance.now();
    const passed = last === begun ? 0 : Math.round(now - last);
    last = now;
    const { waitedMs, stillMs, first } = wait ?? { waitedMs: 0, stillMs: 0, first: waiting };
    wait = { waitedMs: waitedMs + passed, stillMs: waiting === 0 ? stillMs + passed : 0, first };
    if (waiting === 0 && wait.stillMs >= millisecondsOf(stillFor)) return { cursor: null, done: 0 };
    if (wait.waitedMs >= millisecondsOf(within)) throw notIdle(system, queues, wait);
    if (now - begun >= batchMs) return { cursor: wait, done: 0, note: say(queues, waiting) };
    await pause(lookEveryMs, undefined, { signal: context.signal });
  }
}

function say(queues: readonly Queue[], waiting: number): string {
  if (waiting === 0) return 'nothing is left to do; waits whether something comes';
  const busy = queues.filter((queue) => (queue.waiting ?? 0) > 0);
  const named = busy.slice(0, 3).map((queue) => `${queue.key}: ${queue.waiting}`);
  return `${waiting} pieces of work are left: ${named.join(', ')}${busy.length > 3 ? ' …' : ''}`;
}

function notIdle(system: string, queues: readonly Queue[], wait: z.infer<typeof cursorSchema>): Failure {
  const waiting = queues.reduce((sum, queue) => sum + (queue.waiting ?? 0), 0);
  const rate = Math.round(((wait.first - waiting) / Math.max(wait.waitedMs, 1)) * 10_000) / 10;
  const falls = rate > 0 ? `it falls by ${rate} a second` : 'it does not fall';
  return new Failure({
    code: 'timed-out',
    message: `${system}: work is left after ${sayDuration(wait.waitedMs)} (${say(queues, waiting)}); ${falls}.`,
    advice: 'Nothing was changed. See whether the workers run and whether somebody still adds work; then retry.',
    retryable: true,
  });
}
