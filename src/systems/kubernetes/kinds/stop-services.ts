import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepPreview } from '../../system.ts';
import { durationText, milliseconds } from '../../wait-for.ts';
import type { FieldsChange, Intent } from '../change.ts';
import { annotationPath } from '../fields.ts';
import { changingRights, findServices, hashServices, warning } from '../find-services.ts';
import type { KindSetting } from '../part.ts';
import { sayObject } from '../resources.ts';
import { waitUntilGone } from '../settle.ts';
import { marks, remembered, sayRemembered } from '../standing.ts';
import { findSuspenders, suspend } from '../suspenders.ts';
import { previewUndo, sampleOf, undoBatch } from '../undo.ts';
import { type Part, walkParts } from '../walk.ts';
import { readWorkload, type ServiceRef, sayService, serviceRef, type Workload } from '../workload.ts';
import type { ClusterKind } from './index.ts';

const inputSchema = z.strictObject({
  services: z
    .array(serviceRef)
    .min(1)
    .max(50)
    .describe('What is stopped, in this order: each is gone before the next.'),
  within: durationText.default('5m').describe('How long all waiting may take together, e.g. `5m`.'),
});
type Input = z.infer<typeof inputSchema>;

/** Scales services to 0 and remembers their replicas on them; suspends what would bring them back. */
export function stopServicesKind(setting: KindSetting): ClusterKind {
  const { cluster } = setting;
  const kind = defineStepKind<Input>({
    name: 'kubernetes.stop-services',
    effect: 'changes',
    input: inputSchema,
    describe: ({ services }) => `stops ${services.map(sayService).join(', ')}`,
    preview: (input, context) => preview(setting, input, context.runId),
    async performBatch({ services, within }, batch, context) {
      const partAt = (part: number): Part | null => {
        if (part === 0)
          return { plan: () => planSuspending(setting, services, context.runId), wait: waitForJobs(setting, services) };
        const service = services[part - 1];
        if (service === undefined) return null;
        return { plan: () => planStop(setting, service, context.runId), wait: waitUntilGone(cluster, service) };
      };
      const {
        kept: _kept,
        missing: _missing,
        ...result
      } = await walkParts(setting, context, batch, milliseconds(within), partAt);
      return result;
    },
    async verify({ services }) {
      const { found } = await findServices(cluster, services);
      const up = found.filter(({ spec }) => spec.replicas > 0).map(sayService);
      const title = up.length === 0 ? 'The services stand still' : `Services run: ${up.join(', ')}`;
      return [
        {
          check: 'services-stopped',
          title,
          status: up.length === 0 ? 'passed' : 'failed',
          count: up.length,
          samples: up.slice(0, 5),
        },
      ];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: ({ within }, batch, context) => undoBatch(setting, batch, context, milliseconds(within)),
    narrow: () => null,
  });
  return {
    kind,
    rights: [
      ...changingRights,
      { verb: 'list', kind: 'Job' },
      ...(['list', 'get', 'patch'] as const).flatMap((verb) => [
        { verb, kind: 'HorizontalPodAutoscaler' as const },
        { verb, kind: 'CronJob' as const },
      ]),
    ],
  };
}

/** The count and the mark stand on the workload in the same write that scales it, so it is never at 0 without them. */
function stopChange(workload: Workload, runId: string): FieldsChange | null {
  const { replicas } = workload.spec;
  if (replicas === 0) return null;
  const after = {
    '/spec/replicas': 0,
    [annotationPath(marks.replicas)]: String(remembered(workload) ?? replicas),
    [annotationPath(marks.stoppedBy)]: runId,
    [annotationPath(marks.starting)]: null,
  };
  const before = {
    '/spec/replicas': replicas,
    [annotationPath(marks.replicas)]: workload.annotations[marks.replicas] ?? null,
    [annotationPath(marks.stoppedBy)]: workload.annotations[marks.stoppedBy] ?? null,
    [annotationPath(marks.starting)]: workload.annotations[marks.starting] ?? null,
  };
  const { kind, namespace, name, uid } = workload;
  return { did: 'fields', object: { kind, namespace, name }, uid, before, after };
}

async function planStop({ cluster }: KindSetting, service: ServiceRef, runId: string): Promise<Intent> {
  const workload = await readWorkload(cluster, service);
  const change = workload && stopChange(workload, runId);
  return { version: 1, changes: change ? [change] : [], conflicts: [] };
}

async function planSuspending(
  { cluster }: KindSetting,
  services: readonly ServiceRef[],
  runId: string,
): Promise<Intent> {
  const { found } = await findServices(cluster, services);
  const suspenders = (await findSuspenders(cluster, found)).found;
  const changes = suspenders.map((suspender) => suspend(suspender, runId)).filter((change) => change !== null);
  return { version: 1, changes, conflicts: [] };
}

const jobSchema = z.object({ status: z.object({ active: z.number().default(0) }).prefault({}) });

/** A suspended CronJob begins no Job any more, but one may be under way. */
function waitForJobs({ cluster }: KindSetting, services: readonly ServiceRef[]): NonNullable<Part['wait']> {
  return {
    async look() {
      for (const namespace of new Set(services.map((service) => service.namespace))) {
        for (const job of await cluster.list('Job', namespace)) {
          const owner = job.metadata.ownerReferences?.find(({ kind }) => kind === 'CronJob');
          const busy = owner !== undefined && jobSchema.parse(job).status.active > 0;
          if (busy) return `the Job ${namespace}/${job.metadata.name} of the CronJob ${owner.name} to end`;
        }
      }
      return null;
    },
    tooLong: (waitsFor, waited) =>
      new Failure({
        code: 'timed-out',
        message: `${cluster.place.system}: after ${waited} still waiting for ${waitsFor}.`,
        advice: 'No service was stopped yet. Let the Job end, or end it, and try again; or undo.',
        retryable: true,
      }),
  };
}

async function preview({ cluster }: KindSetting, { services, within }: Input, runId: string): Promise<StepPreview> {
  const { found, findings } = await findServices(cluster, services);
  const suspenders = await findSuspenders(cluster, found);
  const changes = found.map((workload) => stopChange(workload, runId)).filter((change) => change !== null);
  const running = found.filter(({ spec }) => spec.replicas > 0);
  const also = suspenders.found
    .filter((suspender) => suspend(suspender, runId) !== null)
    .map(({ object }) => sayObject(object));
  return {
    count: changes.length,
    exact: true,
    keysHash: digestOf(running.map(({ uid }) => uid)),
    schemaHash: hashServices(found),
    samples: changes.slice(0, 5).map(sampleOf),
    undoClass: 'reversible',
    locks: [
      ...running.map(
        (one) =>
          `${sayService(one)} is down until it is started again (${sayRemembered(remembered(one) ?? one.spec.replicas)})`,
      ),
      ...(also.length === 0 ? [] : [`suspended meanwhile: ${also.join(', ')}`]),
      `waits up to ${within} for the pods to end`,
    ],
    bytes: 2_000 * (changes.length + also.length),
    findings: [...findings, ...suspenders.findings, ...found.flatMap(strangeMemory)],
  };
}

function strangeMemory(workload: Workload): Finding[] {
  const count = remembered(workload);
  const { replicas } = workload.spec;
  const by = workload.annotations[marks.stoppedBy] ?? 'somebody';
  if (replicas > 0 && count !== null && count !== replicas) {
    const title = `${sayService(workload)} runs with ${replicas} replicas, but ${by} has remembered ${count} on it`;
    const advice = `What is remembered is never overwritten: it would start with ${count}. Remove the annotation ${marks.replicas} if that is wrong.`;
    return [warning('replicas-remembered', title, advice, workload)];
  }
  if (replicas > 0 || count !== null) return [];
  const title = `${sayService(workload)} is at 0 replicas already, and nobody has remembered how many it had`;
  return [warning('stopped-already', title, 'It stays as it is, and is not started again by an undo.', workload)];
}
