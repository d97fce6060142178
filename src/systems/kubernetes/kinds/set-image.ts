import { z } from 'zod';
import { digestOf } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepPreview } from '../../system.ts';
import { durationText, milliseconds } from '../../wait-for.ts';
import type { FieldsChange, Intent } from '../change.ts';
import { changingRights, failed, findServices, hashServices, warning } from '../find-services.ts';
import { judgeImage } from '../image-change.ts';
import type { KindSetting } from '../part.ts';
import { waitUntilReplaced } from '../settle.ts';
import { previewUndo, sampleOf, undoBatch } from '../undo.ts';
import { walkParts } from '../walk.ts';
import { imageOf, readWorkload, requireWorkload, sayService, serviceRef, type Workload } from '../workload.ts';
import type { ClusterKind } from './index.ts';

const inputSchema = serviceRef.extend({
  container: z.string().min(1).describe('Of the pod template; init containers too.'),
  image: z
    .string()
    .regex(/^[\w][\w.:/@-]{0,500}$/, 'an image, e.g. registry/name:tag or name@sha256:…')
    .describe('The new image, with tag or digest.'),
  within: durationText.default('10m').describe('How long the rollout may take, e.g. `10m`.'),
  waitReady: z.boolean().default(true).describe('False: goes on at once. At 0 replicas there is nothing to wait for.'),
});
type Input = z.infer<typeof inputSchema>;

/** Gives a container another image and waits until all its pods run it. */
export function setImageKind(setting: KindSetting): ClusterKind {
  const { cluster } = setting;
  const kind = defineStepKind<Input>({
    name: 'kubernetes.set-image',
    effect: 'changes',
    input: inputSchema,
    describe: ({ image, container, ...service }) => `${sayService(service)}: ${container} runs ${image}`,
    writes: ({ kind: collection, namespace, name, container }) => [
      { collection: `${namespace}/${collection}`, field: `${name}.${container}.image` },
    ],
    preview: (input) => preview(setting, input),
    async performBatch(input, batch, context) {
      const wait = input.waitReady ? { wait: waitUntilReplaced(setting, context, input) } : {};
      const partAt = (part: number) => (part === 0 ? { plan: () => plan(setting, input), ...wait } : null);
      const {
        kept: _kept,
        missing: _missing,
        ...result
      } = await walkParts(setting, context, batch, milliseconds(input.within), partAt);
      return result;
    },
    async verify(input) {
      const workload = await readWorkload(cluster, input);
      const now = workload && imageOf(workload, input.container)?.image;
      const title =
        now === input.image
          ? `${sayService(input)} has the image`
          : `${sayService(input)} has ${now ?? 'no such container'}`;
      return [
        {
          check: 'image-set',
          title,
          status: now === input.image ? 'passed' : 'failed',
          count: now === input.image ? 0 : 1,
          samples: [],
        },
      ];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: ({ within }, batch, context) => undoBatch(setting, batch, context, milliseconds(within)),
    narrow: () => null,
  });
  return { kind, rights: [...changingRights, { verb: 'delete', kind: 'Pod' }] };
}

function changeOf(workload: Workload, { container, image }: Input): FieldsChange | null {
  const now = imageOf(workload, container);
  if (now === null || now.image === image) return null;
  const { kind, namespace, name, uid } = workload;
  return {
    did: 'fields',
    object: { kind, namespace, name },
    uid,
    before: { [now.path]: now.image },
    after: { [now.path]: image },
  };
}

async function plan({ cluster }: KindSetting, input: Input): Promise<Intent> {
  const change = changeOf(await requireWorkload(cluster, input), input);
  return { version: 1, changes: change ? [change] : [], conflicts: [] };
}

async function preview({ cluster }: KindSetting, input: Input): Promise<StepPreview> {
  const { found, findings } = await findServices(cluster, [
    { kind: input.kind, namespace: input.namespace, name: input.name },
  ]);
  const [workload] = found;
  const change = workload ? changeOf(workload, input) : null;
  return {
    count: change ? 1 : 0,
    exact: true,
    keysHash: digestOf(found.map(({ uid }) => uid)),
    schemaHash: hashServices(found),
    samples: change ? [sampleOf(change)] : [],
    undoClass: 'reversible',
    locks: workload && change ? locksOf(workload, input) : [],
    bytes: 2_000,
    findings: [...findings, ...(workload ? judge(workload, input) : [])],
  };
}

function locksOf(workload: Workload, { within, waitReady }: Input): string[] {
  const name = sayService(workload);
  if (workload.spec.replicas === 0) return [`${name} stands still: the image is used when it is started`];
  const how = `${name}: its pods are replaced one after another`;
  return [waitReady ? `${how}; waits up to ${within}` : `${how}; nobody waits for it`];
}

/** What speaks against the image, here and now. */
function judge(workload: Workload, input: Input): Finding[] {
  const { container, image } = input;
  const name = sayService(workload);
  const now = imageOf(workload, container);
  if (now === null) {
    const names = workload.spec.template.spec.containers.map((known) => known.name).join(', ');
    return [
      failed(
        'container-there',
        `${name} has no container ${container}`,
        `It has ${names}. Correct the step.`,
        workload,
      ),
    ];
  }
  return [...judgeImage(workload, container, now.image, image), ...judgeRollout(workload, input)];
}

/** What would keep a rollout from ever coming to its end. */
function judgeRollout(workload: Workload, { waitReady }: Input): Finding[] {
  const name = sayService(workload);
  if (workload.spec.replicas === 0 || !waitReady) return [];
  if (workload.spec.paused) {
    return [
      failed(
        'rollout-paused',
        `The rollout of ${name} is paused`,
        'Resume it (kubectl rollout resume), or give waitReady: false.',
        workload,
      ),
    ];
  }
  if ((workload.spec.updateStrategy?.rollingUpdate?.partition ?? 0) > 0) {
    const advice = 'Set its partition to 0, or give waitReady: false.';
    return [failed('rollout-partitioned', `${name} replaces only a part of its pods (partition)`, advice, workload)];
  }
  if (workload.kind === 'StatefulSet' && workload.spec.updateStrategy?.type === 'OnDelete') {
    const advice = 'Delete its pods afterwards, or give it the strategy RollingUpdate before.';
    return [
      warning('pods-replaced-by-hand', `${name} replaces its pods only when somebody deletes them`, advice, workload),
    ];
  }
  return [];
}
