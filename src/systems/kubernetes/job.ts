import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../../shared/json.ts';
import type { Cluster } from './client.ts';
import type { Manifest } from './manifest.ts';
import { podOf } from './pods.ts';

/** Where a Job comes from: as its CronJob would make it, or as the step says. */
export const jobSource = z.union([
  z.strictObject({ cronJob: z.string().min(1).describe('Of the same namespace; the Job is as it would make it.') }),
  z.strictObject({
    manifest: z
      .object({ kind: z.literal('Job').optional(), spec: z.record(z.string(), z.json()) })
      .catchall(z.json())
      .describe('A Job (batch/v1). Its name is the step’s; secrets belong into a Secret that it names.'),
  }),
]);
export type JobSource = z.infer<typeof jobSource>;

/** Seconds after which the cluster ends a Job by itself when the bot could not. */
const graceSeconds = 60;

const templateSchema = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()).default({}) }).prefault({}),
  spec: z.record(z.string(), z.json()),
});
const cronJobSchema = z.object({ spec: z.object({ jobTemplate: templateSchema }) });

/** The Job to make, but for its name; null where the CronJob is not there. It lives until the bot removes it. */
export async function jobManifest(
  cluster: Cluster,
  namespace: string,
  source: JobSource,
  withinMs: number,
): Promise<JsonObject | null> {
  const template = 'cronJob' in source ? await templateOf(cluster, namespace, source.cronJob) : source.manifest;
  if (template === null) return null;
  const { metadata, spec } = templateSchema.parse(template);
  // Gone by itself, a Job would leave nobody to say how it ended.
  const { ttlSecondsAfterFinished: _ttl, suspend: _suspend, activeDeadlineSeconds: own, ...kept } = spec;
  const deadline = Math.ceil(withinMs / 1000) + graceSeconds;
  const activeDeadlineSeconds = typeof own === 'number' ? Math.min(own, deadline) : deadline;
  return { metadata: { labels: metadata.labels }, spec: { ...kept, activeDeadlineSeconds } };
}

async function templateOf(cluster: Cluster, namespace: string, name: string): Promise<JsonObject | null> {
  const found = await cluster.get({ kind: 'CronJob', namespace, name });
  return found && cronJobSchema.parse(found).spec.jobTemplate;
}

/** The same for every call of one attempt of a step, and no other's. */
export function jobName(name: string, runId: string, stepId: string, attempt: number): string {
  const mark = createHash('sha256')
    .update(JSON.stringify([runId, stepId, attempt]))
    .digest('hex');
  return `${name.slice(0, 50).replace(/[^a-z0-9]+$/, '')}-${mark.slice(0, 10)}`;
}

const statusSchema = z.object({
  spec: z.object({ completions: z.number().nullish(), parallelism: z.number().nullish() }).prefault({}),
  status: z
    .object({
      active: z.number().default(0),
      succeeded: z.number().default(0),
      failed: z.number().default(0),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string().default('') }))
        .nullish()
        .transform((conditions) => conditions ?? []),
    })
    .prefault({}),
});

export type JobState =
  | { readonly state: 'succeeded' }
  | { readonly state: 'failed'; readonly reason: string }
  | { readonly state: 'running'; readonly note: string };

/** How far a Job is. `note`: `0 of 1 completed, 1 pod runs, 2 failed`. */
export function stateOf(job: Manifest): JobState {
  const { spec, status } = statusSchema.parse(job);
  const is = (type: string) => status.conditions.find((one) => one.type === type && one.status === 'True');
  if (is('Complete')) return { state: 'succeeded' };
  const failed = is('Failed');
  if (failed) return { state: 'failed', reason: failed.reason || 'Failed' };
  const ended = status.failed > 0 ? `, ${status.failed} failed` : '';
  const runs = `${status.active} ${status.active === 1 ? 'pod runs' : 'pods run'}`;
  return { state: 'running', note: `${status.succeeded} of ${spec.completions ?? 1} completed, ${runs}${ended}` };
}

/** The Job's pods, the oldest first. */
export async function podsOfJob(cluster: Cluster, job: Manifest): Promise<readonly Manifest[]> {
  const { namespace, name, uid } = job.metadata;
  const found = await cluster.list('Pod', namespace, { labels: `batch.kubernetes.io/job-name=${name}` });
  const own = found.filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
  return own.sort((a, b) => String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp)));
}

/** `pod x is Failed (job: Error)`, at most three. */
export function sayPods(pods: readonly Manifest[]): string {
  const said = pods.map(podOf).map(({ name, phase, reasons }) => {
    const why = reasons.length > 0 ? ` (${reasons.join(', ')})` : '';
    return `pod ${name} is ${phase}${why}`;
  });
  return said.slice(-3).join('; ');
}
