import { z } from 'zod';
import { digestOf, type JsonObject } from '../../../shared/json.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepPreview } from '../../system.ts';
import { durationText, milliseconds } from '../../wait-for.ts';
import type { FieldsChange } from '../change.ts';
import { judgeImage } from '../image-change.ts';
import { diffManifests } from '../manifest-diff.ts';
import type { KindSetting } from '../part.ts';
import { type ObjectRef, resources, sayObject } from '../resources.ts';
import type { Right } from '../rights.ts';
import { previewUndo, sampleOf, undoBatch } from '../undo.ts';
import { walkParts } from '../walk.ts';
import { imageOf, readWorkload } from '../workload.ts';
import type { ClusterKind } from './index.ts';

const kinds = ['Deployment', 'StatefulSet', 'ConfigMap', 'CronJob', 'Ingress', 'HorizontalPodAutoscaler'] as const;
type Kind = (typeof kinds)[number];
const apiVersionOf = (kind: Kind): string => {
  const { group, version } = resources[kind];
  return group === '' ? version : `${group}/${version}`;
};

const manifestSchema = z
  .object({
    apiVersion: z.string(),
    kind: z.enum(kinds),
    metadata: z.object({ name: z.string().min(1), namespace: z.string().min(1) }).catchall(z.json()),
  })
  .catchall(z.json())
  .refine(({ kind, apiVersion }) => apiVersion === apiVersionOf(kind), 'the kind has another apiVersion')
  .refine((manifest) => !('status' in manifest), 'the status is the server\u2019s');

const inputSchema = z.strictObject({
  manifests: z
    .array(manifestSchema)
    .min(1)
    .max(20)
    .describe(
      'Objects that are there, with the fields that they are to have: apiVersion, kind, metadata with name and namespace, and what changes. Other fields stay.',
    ),
  within: durationText
    .default('10m')
    .describe('How long an undo may wait until the pods are the old ones again; the step itself waits for nothing.'),
});
type Input = z.infer<typeof inputSchema>;
type Wanted = Input['manifests'][number];

/** Gives objects that are there the fields of a manifest, as a server-side apply would; makes and deletes none. */
export function applyManifestKind(setting: KindSetting): ClusterKind {
  const kind = defineStepKind<Input>({
    name: 'kubernetes.apply-manifest',
    effect: 'changes',
    input: inputSchema,
    describe: ({ manifests }) => `gives ${manifests.map((one) => sayObject(refOf(one))).join(', ')} new fields`,
    writes: ({ manifests }) =>
      manifests.map(({ kind: collection, metadata }) => ({
        collection: `${metadata.namespace}/${collection}`,
        field: metadata.name,
      })),
    preview: (input) => preview(setting, input),
    async performBatch(input, batch, context) {
      const plan = async () => {
        const seen = await Promise.all(input.manifests.map((one) => read(setting, one)));
        return { version: 1 as const, changes: seen.flatMap(({ change }) => change ?? []), conflicts: [] };
      };
      const { cursor, done } = await walkParts(setting, context, batch, 0, (part) => (part === 0 ? { plan } : null));
      return { cursor, done };
    },
    async verify(input) {
      const seen = await Promise.all(input.manifests.map((one) => read(setting, one)));
      const other = seen.filter(({ found, change }) => !found || change !== null);
      return [
        {
          check: 'manifests-applied',
          title: 'Objects are as their manifests say',
          status: other.length === 0 ? 'passed' : 'failed',
          count: other.length,
          samples: other.slice(0, 5).map(({ object }) => sayObject(object)),
        },
      ];
    },
    previewUndo: (_input, context) => previewUndo(setting, context),
    undoBatch: ({ within }, batch, context) => undoBatch(setting, batch, context, milliseconds(within)),
    narrow: () => null,
  });
  const rights = kinds.flatMap((of): Right[] => [
    { verb: 'get', kind: of },
    { verb: 'patch', kind: of },
  ]);
  return { kind, rights };
}

const refOf = ({ kind, metadata }: Wanted): ObjectRef => ({ kind, namespace: metadata.namespace, name: metadata.name });

interface Seen {
  readonly object: ObjectRef;
  readonly uid: string;
  readonly found: boolean;
  /** Null = the object has the fields already, or is not there. */
  readonly change: FieldsChange | null;
}

/** The server itself says what the object would be: it knows defaults, and how lists are merged. */
async function read({ cluster }: KindSetting, wanted: Wanted): Promise<Seen> {
  const object = refOf(wanted);
  const before = await cluster.get(object);
  const after = before && (await cluster.dryApply(object, wanted as JsonObject));
  if (before === null || after === null) return { object, uid: '', found: false, change: null };
  const { uid } = before.metadata;
  const fields = diffManifests(before, after);
  const change = { did: 'fields', object, uid, ...fields } as const;
  return { object, uid, found: true, change: Object.keys(fields.after).length === 0 ? null : change };
}

async function preview(setting: KindSetting, { manifests }: Input): Promise<StepPreview> {
  const seen = await Promise.all(manifests.map((one) => read(setting, one)));
  const changes = seen.flatMap(({ change }) => change ?? []);
  const findings = await Promise.all(manifests.map((one, index) => judge(setting, one, seen[index]?.found ?? false)));
  const twice = manifests.map((one) => sayObject(refOf(one))).filter((name, index, all) => all.indexOf(name) !== index);
  return {
    count: changes.length,
    exact: true,
    keysHash: digestOf(seen.map(({ uid }) => uid)),
    schemaHash: digestOf({ system: setting.system }),
    samples: changes.slice(0, 5).map(sampleOf),
    undoClass: 'reversible',
    locks: changes
      .filter(({ after }) => Object.keys(after).some((path) => path.startsWith('/spec/template')))
      .map(
        ({ object }) => `${sayObject(object)}: its pods are replaced; nobody waits for it here (await-rollout does)`,
      ),
    bytes: 4_000 * manifests.length,
    findings: [
      ...findings.flat(),
      ...twice.map((name) =>
        failed(
          'object-named-twice',
          `${name} is named twice`,
          'Put its fields into one manifest.',
          refOf(manifests[0] as Wanted),
        ),
      ),
    ],
  };
}

function failed(check: string, title: string, advice: string, object: ObjectRef): Finding {
  return { check, title, status: 'failed', count: 1, samples: [sayObject(object)], advice };
}

async function judge({ cluster }: KindSetting, wanted: Wanted, found: boolean): Promise<readonly Finding[]> {
  const object = refOf(wanted);
  if (!found) {
    const advice = 'Make it first with what deploys the platform; this step changes what is there.';
    return [failed('object-there', `There is no ${sayObject(object)}`, advice, object)];
  }
  const { kind, namespace, name } = object;
  if (kind !== 'Deployment' && kind !== 'StatefulSet') return [];
  const spec = wanted.spec as
    | { readonly replicas?: unknown; readonly template?: { readonly spec?: JsonObject } }
    | undefined;
  const replicas =
    spec?.replicas === undefined
      ? []
      : [
          failed(
            'replicas-remembered',
            `The manifest of ${sayObject(object)} says how many replicas`,
            'Leave spec.replicas out: stop-services and start-services remember them.',
            object,
          ),
        ];
  const workload = await readWorkload(cluster, { kind, namespace, name });
  const containers = (spec?.template?.spec?.containers ?? []) as readonly {
    readonly name?: string;
    readonly image?: string;
  }[];
  const images = containers.flatMap(({ name: container = '', image }) => {
    const now = workload === null ? null : imageOf(workload, container);
    return workload === null || now === null || image === undefined
      ? []
      : judgeImage(workload, container, now.image, image);
  });
  return [...replicas, ...images];
}
