import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { digestOf } from '../../../shared/json.ts';
import { defineStepKind, type StepPreview } from '../../system.ts';
import { durationText, milliseconds } from '../../wait-for.ts';
import type { FieldsChange, Intent } from '../change.ts';
import type { Cluster } from '../client.ts';
import { annotationPath, type Fields, readField } from '../fields.ts';
import { changingRights, failed, findServices, hashServices, isSame } from '../find-services.ts';
import type { KindSetting } from '../part.ts';
import { waitUntilSettled } from '../settle.ts';
import { journaledReplicas, marks, remembered } from '../standing.ts';
import { findSuspenders, othersStopped, resume } from '../suspenders.ts';
import { previewUndo, undoBatch } from '../undo.ts';
import { type Part, walkParts } from '../walk.ts';
import { requireWorkload, type ServiceRef, sayService, serviceRef, type Workload } from '../workload.ts';
import type { ClusterKind } from './index.ts';

const startedService = serviceRef.extend({
  replicas: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('How many; absent = as many as were remembered when it was stopped.'),
});
type StartedService = z.infer<typeof startedService>;

const inputSchema = z.strictObject({
  services: z
    .array(startedService)
    .min(1)
    .max(50)
    .describe('What is started, in this order: each is ready before the next.'),
  within: durationText.default('10m').describe('How long all waiting may take together, e.g. `10m`.'),
});
type Input = z.infer<typeof inputSchema>;

/** Starts services with the replicas that they had, and resumes what was suspended while they stood still. */
export function startServicesKind(setting: KindSetting): ClusterKind {
  const { cluster } = setting;
  const kind = defineStepKind<Input>({
    name: 'kubernetes.start-services',
    effect: 'changes',
    input: inputSchema,
    describe: ({ services }) => `starts ${services.map(sayService).join(', ')}`,
    preview: (input) => preview(setting, input),
    async performBatch({ services, within }, batch, context) {
      const partAt = (part: number): Part | null => {
        if (part === 0) return { plan: () => planMarks(setting, services, context.runId) };
        if (part === services.length + 1) return { plan: () => planResuming(setting, services) };
        const service = services[part - 1];
        if (service === undefined) return null;
        return { plan: () => planStart(setting, service, context.runId), wait: waitUntilSettled(cluster, service) };
      };
      const {
        kept: _kept,
        missing: _missing,
        ...result
      } = await walkParts(setting, context, batch, milliseconds(within), partAt);
      return result;
    },
    async verify({ services }) {
      const { found, findings } = await findServices(cluster, services);
      const down = found
        .filter(({ spec, status }) => spec.replicas === 0 || status.readyReplicas < spec.replicas)
        .map(sayService);
      const title = down.length === 0 ? 'The services are up and ready' : `Services are not ready: ${down.join(', ')}`;
      return [
        ...findings,
        {
          check: 'services-started',
          title,
          status: down.length === 0 ? 'passed' : 'failed',
          count: down.length,
          samples: down.slice(0, 5),
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
      ...(['list', 'get', 'patch'] as const).flatMap((verb) => [
        { verb, kind: 'HorizontalPodAutoscaler' as const },
        { verb, kind: 'CronJob' as const },
      ]),
    ],
  };
}

const ownMarks = [marks.replicas, marks.stoppedBy, marks.starting];

/** From this first part on nothing that these services write counts as foreign. Refused before anything is marked. */
async function planMarks(setting: KindSetting, services: readonly StartedService[], runId: string): Promise<Intent> {
  const { cluster } = setting;
  const changes: FieldsChange[] = [];
  for (const service of services) {
    const workload = await requireWorkload(cluster, service);
    if (workload.spec.replicas === 0 && countFor(workload, service) === null)
      throw await withoutMemory(setting, workload, runId);
    if (workload.annotations[marks.stoppedBy] === undefined) continue;
    const path = annotationPath(marks.starting);
    changes.push(changeOf(workload, { [path]: runId }, true));
  }
  return { version: 1, changes, conflicts: [] };
}

async function planStart(setting: KindSetting, service: StartedService, runId: string): Promise<Intent> {
  const { cluster } = setting;
  const workload = await requireWorkload(cluster, service);
  const present = ownMarks.filter((mark) => workload.annotations[mark] !== undefined);
  const cleared = Object.fromEntries(present.map((mark) => [annotationPath(mark), null]));
  if (workload.spec.replicas > 0) {
    // Somebody was first: it keeps the replicas that they gave it, and loses our marks.
    return { version: 1, changes: present.length > 0 ? [changeOf(workload, cleared, true)] : [], conflicts: [] };
  }
  const count = countFor(workload, service);
  if (count === null) throw await withoutMemory(setting, workload, runId);
  return { version: 1, changes: [changeOf(workload, { '/spec/replicas': count, ...cleared }, false)], conflicts: [] };
}

/** What covers a service that stays stopped is left suspended. */
async function planResuming({ cluster }: KindSetting, services: readonly ServiceRef[]): Promise<Intent> {
  const { found } = await findServices(cluster, services);
  const stopped = await othersStopped(cluster, services);
  const suspenders = (await findSuspenders(cluster, found)).found.filter(
    ({ covers }) => !stopped.some((other) => covers(other)),
  );
  const changes = suspenders.map(resume).filter((change) => change !== null);
  return { version: 1, changes, conflicts: [] };
}

function changeOf({ kind, namespace, name, uid, manifest }: Workload, after: Fields, aside: boolean): FieldsChange {
  const before = Object.fromEntries(Object.keys(after).map((path) => [path, readField(manifest, path)]));
  return { did: 'fields', object: { kind, namespace, name }, uid, before, after, ...(aside ? { aside } : {}) };
}

function countFor(workload: Workload, { replicas }: StartedService): number | null {
  return replicas ?? remembered(workload);
}

async function withoutMemory(setting: KindSetting, workload: Workload, runId: string): Promise<Failure> {
  const { cluster, journal } = setting;
  const had = await journaledReplicas(journal, runId, workload);
  const advice =
    had === null
      ? await adviseCount(cluster, workload)
      : `Give \`replicas: ${had}\` for it in the step: so many it had when this run stopped it.`;
  return new Failure({
    code: 'precondition-failed',
    message: `${cluster.place.system}: ${sayService(workload)} is at 0 replicas, and nobody has remembered how many it had.`,
    advice: `${advice} It was not started.`,
  });
}

/** How many to give: what its autoscaler wants at least, else what it takes to run at all. */
async function adviseCount(cluster: Cluster, workload: Workload): Promise<string> {
  const list = await cluster.list('HorizontalPodAutoscaler', workload.namespace);
  const own = list.find(
    (found) =>
      readField(found, '/spec/scaleTargetRef/name') === workload.name &&
      readField(found, '/spec/scaleTargetRef/kind') === workload.kind,
  );
  const least = own && Number(readField(own, '/spec/minReplicas') ?? 1);
  if (least) return `Give \`replicas: ${least}\` for it in the step: its autoscaler wants at least so many.`;
  return 'Give `replicas:` for it in the step: 1, or as many as its manifest says.';
}

/** The services may still run when the plan is made, so all of them are counted, and what will be remembered is shown. */
async function preview({ cluster }: KindSetting, { services, within }: Input): Promise<StepPreview> {
  const { found, findings } = await findServices(cluster, services);
  const refused = await Promise.all(
    services.map(async (service) => {
      const workload = found.find((one) => isSame(one, service));
      if (!workload || workload.spec.replicas > 0 || countFor(workload, service) !== null) return [];
      const title = `${sayService(service)} is at 0 replicas, and nobody has remembered how many it had`;
      return [failed('replicas-unknown', title, await adviseCount(cluster, workload), service)];
    }),
  );
  const samples = found.slice(0, 5).map((workload) => {
    const given = services.find((service) => isSame(service, workload));
    const now = workload.spec.replicas;
    const after = given?.replicas ?? remembered(workload) ?? now;
    return {
      collection: `${workload.namespace}/${workload.kind}`,
      key: workload.name,
      before: { 'spec.replicas': now },
      after: { 'spec.replicas': after },
    };
  });
  return {
    count: services.length,
    exact: true,
    keysHash: digestOf(found.map(({ uid }) => uid)),
    schemaHash: hashServices(found),
    samples,
    undoClass: 'reversible',
    locks: [`waits up to ${within} until each is ready before the next is started`],
    bytes: 3_000 * services.length,
    findings: [...findings, ...refused.flat()],
  };
}
