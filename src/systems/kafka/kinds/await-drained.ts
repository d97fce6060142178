import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { sayDuration } from '../../../shared/duration.ts';
import { durationSchema, millisecondsOf } from '../../../shared/duration-text.ts';
import { Failure } from '../../../shared/failure.ts';
import type { Json } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { type BatchResult, defineStepKind, readingPreview, type StepContext, type StepKind } from '../../system.ts';
import { addLook, judgeWait, type Limits, sayStuck, sayWait, sumOf, waitSchema } from '../drain.ts';
import { readMembers } from '../groups.ts';
import type { KindSetting } from '../journal-store.ts';
import { lookAtGroups, topicsOf } from '../look.ts';
import { readTopics } from '../topics.ts';

const inputSchema = z.strictObject({
  groups: z.array(z.string().min(1)).min(1).describe('Consumer groups that must have read everything.'),
  topics: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Only these topics; absent = those that each group reads.'),
  within: durationSchema.default('5m').describe('How long to wait in all.'),
  stillFor: durationSchema
    .default('5s')
    .describe('For how long nothing may be left to read and no producer may write.'),
  stuckFor: durationSchema
    .default('1m')
    .describe('Gives up earlier, when what is left has not become less for this long.'),
});
type Input = z.infer<typeof inputSchema>;

/** A batch looks for so long, every half second. */
const batchMs = 4_000;
const lookEveryMs = 500;

/** Waits until groups have read all that is there and producers are quiet. */
export function awaitDrainedKind(setting: KindSetting): StepKind {
  return defineStepKind<Input>({
    name: 'kafka.await-drained',
    effect: 'reads',
    input: inputSchema,
    describe: ({ groups, within }) => `waits until ${groups.join(', ')} have read everything, at most ${within}`,
    async preview(input) {
      const findings = await checkNames(setting, input);
      if (findings.length > 0) return { ...readingPreview, findings };
      const look = await lookAtGroups(setting.connection, input.groups, input.topics);
      const samples = [...look.lags]
        .sort((a, b) => b.messages - a.messages)
        .slice(0, 5)
        .map(({ group, topic, partition, messages }) => ({
          collection: 'groups',
          key: `${group} ${topic}/${partition}`,
          before: { 'left to read': messages },
          after: { 'left to read': 0 },
        }));
      return { ...readingPreview, samples, findings: lagNow(sumOf(look.lags), look.withoutConsumers) };
    },
    performBatch: (input, { cursor }, context) => waitOn(setting, input, cursor, context),
    narrow: () => null,
  });
}

async function waitOn(setting: KindSetting, input: Input, cursor: Json, context: StepContext): Promise<BatchResult> {
  const limits: Limits = {
    withinMs: millisecondsOf(input.within),
    stillForMs: millisecondsOf(input.stillFor),
    stuckForMs: millisecondsOf(input.stuckFor),
  };
  let wait = cursor === null ? null : waitSchema.parse(cursor);
  const begun = performance.now();
  for (let last = begun; ; ) {
    context.signal.throwIfAborted();
    const look = await lookAtGroups(setting.connection, input.groups, input.topics);
    const now = performance.now();
    // The first look of a batch counts for nothing: the run may have stood still since the last one, for days.
    wait = addLook(wait, look, last === begun ? 0 : Math.round(now - last));
    last = now;
    const verdict = judgeWait(wait, look, limits);
    if (verdict === 'drained') return { cursor: null, done: 0 };
    if (verdict !== 'wait') throw notDrained(setting.system, sayStuck(wait, look), wait.waitedMs);
    if (now - begun >= batchMs) return { cursor: wait, done: 0, note: sayWait(wait, look) };
    await pause(lookEveryMs, undefined, { signal: context.signal });
  }
}

function notDrained(system: string, why: string, waitedMs: number): Failure {
  return new Failure({
    code: 'timed-out',
    message: `${system}: not everything was read after ${sayDuration(waitedMs)}: ${why}.`,
    advice:
      'Nothing was changed, and no message is lost: what is left waits in its topics. See whether the consumers run and ' +
      'keep up, and whether the producers have stopped; then retry, or skip the wait by undoing the run.',
    retryable: true,
  });
}

/** A group or topic that is not there refuses the plan: nobody could ever wait for it. */
async function checkNames({ connection }: KindSetting, { groups, topics }: Input): Promise<Finding[]> {
  const missing: string[] = [];
  for (const group of groups) {
    if ((await readMembers(connection, group)).state === 'absent') missing.push(`group ${group}`);
    else if ((await topicsOf(connection, group, topics)).length === 0) missing.push(`positions of ${group}`);
  }
  const there = new Set((await readTopics(connection, topics ?? [])).map(({ name }) => name));
  missing.push(...(topics ?? []).filter((topic) => !there.has(topic)).map((topic) => `topic ${topic}`));
  if (missing.length === 0) return [];
  const title = 'Groups or topics that are to be waited for are not there';
  const advice = 'Correct their names. A group that has never read anything has no position to wait for.';
  return [
    { check: 'groups-there', title, status: 'failed', count: missing.length, samples: missing.slice(0, 5), advice },
  ];
}

function lagNow(lag: number, withoutConsumers: readonly string[]): Finding[] {
  const idle = withoutConsumers.map((group) => `no consumer runs in ${group}`);
  if (lag === 0) {
    return [{ check: 'lag-now', title: 'Nothing is left to read now', status: 'passed', count: 0, samples: [] }];
  }
  const title = `${lag} messages are left to read now`;
  const advice = idle.length > 0 ? 'Nobody reads them: the step would wait and give up.' : 'The step waits for them.';
  return [{ check: 'lag-now', title, status: 'warning', count: lag, samples: idle.slice(0, 5), advice }];
}
