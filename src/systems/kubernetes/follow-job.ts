import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { BatchRequest, BatchResult, StepContext } from '../system.ts';
import { waitFor } from '../wait-for.ts';
import type { Intent } from './change.ts';
import { jobName, podsOfJob, sayPods, stateOf } from './job.ts';
import type { StepKey } from './journal.ts';
import type { Manifest } from './manifest.ts';
import { type KindSetting, runPart } from './part.ts';
import { lastLines } from './pod-logs.ts';
import type { ObjectRef } from './resources.ts';

/** A Job to be carried out by a step. */
export interface JobOrder {
  readonly namespace: string;
  /** What its name begins with. */
  readonly name: string;
  readonly withinMs: number;
  /** Read once for each attempt; what it answers stands in the journal. */
  manifest(): Promise<JsonObject>;
}

const cursorSchema = z.object({ attempt: z.number(), waitedMs: z.number() });

/**
 * One batch of making a Job and following it to its end. An attempt is a part of the step; called again, the same Job is
 * found. Where a Job has failed and that was told, the next call (somebody tries again) makes another one.
 */
export async function followJob(
  setting: KindSetting,
  context: StepContext,
  batch: BatchRequest,
  order: JobOrder,
): Promise<BatchResult> {
  const key = { runId: context.runId, stepId: context.stepId };
  const attempt = await currentAttempt(setting, key);
  const object = jobRef(order, key, attempt);
  const plan = async (): Promise<Intent> => {
    return { version: 1, changes: [{ did: 'create', object, manifest: await order.manifest() }], conflicts: [] };
  };
  const { lost, done } = await runPart(setting, context, attempt, 0, plan);
  if (lost.length > 0) throw nameTaken(setting, object);
  const before = cursorSchema.safeParse(batch.cursor);
  const waitedMs = before.success && before.data.attempt === attempt ? before.data.waitedMs : 0;
  const seen = await waitFor(
    { cursor: { waitedMs } },
    {
      withinMs: order.withinMs,
      signal: context.signal,
      look: () => look(setting, key, attempt, object),
      tooLong: (_waitsFor, waited) => endJob(setting, context, attempt, object, waited),
    },
  );
  const counted = batch.cursor === null ? done : 0;
  if (seen.cursor === null) return { cursor: null, done: counted };
  const { waitedMs: waited } = z.object({ waitedMs: z.number() }).parse(seen.cursor);
  return { cursor: { attempt, waitedMs: waited }, done: counted, ...(seen.note ? { note: seen.note } : {}) };
}

export function jobRef(order: Pick<JobOrder, 'namespace' | 'name'>, key: StepKey, attempt: number): ObjectRef {
  return { kind: 'Job', namespace: order.namespace, name: jobName(order.name, key.runId, key.stepId, attempt) };
}

/** Parts from here on are something else than attempts. */
export const attemptsEnd = 1_000_000;

/** The last one that was begun, or the next where that one has failed. */
async function currentAttempt({ journal }: KindSetting, key: StepKey): Promise<number> {
  const attempts = (await journal.listParts(key)).filter((part) => part < attemptsEnd);
  const last = attempts.at(-1);
  if (last === undefined) return 0;
  return (await journal.readEntry(key, `failed.${last}`)) === null ? last : last + 1;
}

/** The Job of the step's last attempt; null where there is none. */
export async function lastJob(setting: KindSetting, key: StepKey, order: Pick<JobOrder, 'namespace' | 'name'>) {
  const attempts = (await setting.journal.listParts(key)).filter((part) => part < attemptsEnd);
  return setting.cluster.get(jobRef(order, key, attempts.at(-1) ?? 0));
}

async function look(setting: KindSetting, key: StepKey, attempt: number, object: ObjectRef): Promise<string | null> {
  const { cluster } = setting;
  const job = await cluster.get(object);
  if (job === null) {
    await markFailed(setting, key, attempt, 'removed');
    throw failure(setting, object, 'was removed by somebody before it ended', 'conflict');
  }
  const now = stateOf(job);
  if (now.state === 'succeeded') return null;
  const pods = await podsOfJob(cluster, job);
  if (now.state === 'running') {
    const said = sayPods(pods);
    return `Job ${object.namespace}/${object.name}: ${now.note}${said === '' ? '' : `; ${said}`}`;
  }
  const why = await explain(setting, pods);
  await markFailed(setting, key, attempt, now.reason);
  const overdue = now.reason === 'DeadlineExceeded';
  throw failure(setting, object, `failed: ${now.reason}${why}`, overdue ? 'timed-out' : 'step-failed');
}

/** Its pods are ended, it stays to be looked at. */
async function endJob(
  setting: KindSetting,
  context: StepContext,
  attempt: number,
  object: ObjectRef,
  waited: string,
): Promise<Failure> {
  const { cluster, fence } = setting;
  let why = '';
  for (;;) {
    const job = await cluster.get(object);
    if (job === null) break;
    if (why === '') why = await explain(setting, await podsOfJob(cluster, job));
    await fence.check(context.fence);
    const suspend = { op: 'add' as const, path: '/spec/suspend', value: true };
    if (await cluster.patch(object, job.metadata.resourceVersion, [suspend])) break;
  }
  await markFailed(setting, context, attempt, 'too-long');
  return failure(
    setting,
    object,
    `had not ended after ${waited} and was suspended: its pods are ended${why}`,
    'timed-out',
  );
}

async function markFailed({ journal }: KindSetting, key: StepKey, attempt: number, reason: string): Promise<void> {
  await journal.writeEntry(key, `failed.${attempt}`, reason);
}

async function explain({ cluster }: KindSetting, pods: readonly Manifest[]): Promise<string> {
  const said = sayPods(pods);
  const lines = await lastLines(cluster, pods);
  return `${said === '' ? '' : `; ${said}`}${lines.length === 0 ? '' : `. Its last lines:\n${lines.join('\n')}`}`;
}

function failure({ cluster }: KindSetting, object: ObjectRef, what: string, code: Failure['code']): Failure {
  return new Failure({
    code,
    message: `${cluster.place.system}: the Job ${object.namespace}/${object.name} ${what}.`,
    advice: 'What it had done by then stands. Mend the cause and try again: that makes another Job. Or undo the run.',
    retryable: true,
  });
}

function nameTaken({ cluster }: KindSetting, { namespace, name }: ObjectRef): Failure {
  return new Failure({
    code: 'conflict',
    message: `${cluster.place.system}: there is a Job ${namespace}/${name} that is not the bot's.`,
    advice: 'Nothing was begun. Remove or rename it, or give the step another name.',
  });
}
