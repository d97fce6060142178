import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Json } from '../../shared/json.ts';
import type { Cluster } from './client.ts';
import type { Manifest } from './manifest.ts';

export const workloadKinds = ['Deployment', 'StatefulSet'] as const;

/** A service as steps name it. */
export const serviceRef = z.strictObject({
  namespace: z.string().min(1).describe('Its namespace; one of those that the configuration names.'),
  kind: z.enum(workloadKinds).describe('Deployment or StatefulSet.'),
  name: z.string().min(1).describe('Its name.'),
});
export type ServiceRef = z.infer<typeof serviceRef>;

const container = z.object({ name: z.string(), image: z.string().default('') });
const count = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);

const workloadSchema = z.object({
  spec: z.object({
    /** The server's default is 1. */
    replicas: z.number().int().default(1),
    paused: z.boolean().default(false),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()).default({}) }).catchall(z.json()),
    updateStrategy: z
      .object({ type: z.string(), rollingUpdate: z.object({ partition: z.number().default(0) }).optional() })
      .optional(),
    template: z.object({
      metadata: z
        .object({ labels: z.record(z.string(), z.string()).default({}) })
        .nullish()
        .transform((metadata) => metadata ?? { labels: {} }),
      spec: z.object({ containers: z.array(container), initContainers: z.array(container).default([]) }),
    }),
  }),
  status: z
    .object({
      observedGeneration: count,
      replicas: count,
      readyReplicas: count,
      availableReplicas: count,
      updatedReplicas: count,
      updateRevision: z.string().default(''),
      currentRevision: z.string().default(''),
    })
    .prefault({}),
});

/** A Deployment or StatefulSet as it is now. */
export interface Workload extends ServiceRef {
  readonly manifest: Manifest;
  readonly uid: string;
  readonly annotations: { readonly [name: string]: string };
  readonly spec: z.infer<typeof workloadSchema>['spec'];
  readonly status: z.infer<typeof workloadSchema>['status'];
}

/** Null where there is none of this name. */
export async function readWorkload(cluster: Cluster, service: ServiceRef): Promise<Workload | null> {
  const found = await cluster.get(service);
  return found && workloadOf(service.kind, found);
}

/** The same, but throws where there is none: somebody removed it since the plan was made. */
export async function requireWorkload(cluster: Cluster, service: ServiceRef): Promise<Workload> {
  const found = await readWorkload(cluster, service);
  if (found !== null) return found;
  throw new Failure({
    code: 'precondition-failed',
    message: `${cluster.place.system}: there is no ${service.kind} ${sayService(service)} any more.`,
    advice: 'Nothing was done to it. Make it again from its manifest and try again, or undo.',
    retryable: true,
  });
}

/** All of a namespace, in the order of kinds and names. */
export async function listWorkloads(cluster: Cluster, namespace: string): Promise<readonly Workload[]> {
  const lists = await Promise.all(workloadKinds.map((kind) => cluster.list(kind, namespace)));
  return lists.flatMap((list, i) => list.map((found) => workloadOf(workloadKinds[i] ?? 'Deployment', found)));
}

/** `aether-be/aether-backend`. */
export function sayService({ namespace, name }: Pick<ServiceRef, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

function workloadOf(kind: ServiceRef['kind'], manifest: Manifest): Workload {
  const { namespace, name, uid, annotations = {} } = manifest.metadata;
  return { kind, namespace, name, manifest, uid, annotations, ...workloadSchema.parse(manifest) };
}

/**
 * What is missing until the rollout is through, in words: `1 of 2 replicas is ready`; null = it is. The same conditions as
 * `kubectl rollout status`, and none of an older template is left.
 */
export function unfinished({ kind, manifest, spec, status }: Workload): string | null {
  if (status.observedGeneration < (manifest.metadata.generation ?? 0))
    return 'the controller has not seen the change yet';
  const { replicas } = spec;
  if (kind === 'Deployment' || spec.updateStrategy?.type !== 'OnDelete') {
    if (status.updatedReplicas < replicas)
      return `${status.updatedReplicas} of ${replicas} replicas are of the new version`;
  }
  if (status.readyReplicas < replicas) return `${status.readyReplicas} of ${replicas} replicas are ready`;
  if (kind === 'Deployment' && status.availableReplicas < replicas) {
    return `${status.availableReplicas} of ${replicas} replicas are available`;
  }
  if (status.replicas > replicas) return `${status.replicas - replicas} replicas of the old version are left`;
  return null;
}

/** The field of a workload that holds the image of this container; null where it has no such container. */
export function imageOf(workload: Workload, name: string): { readonly path: string; readonly image: string } | null {
  for (const list of ['containers', 'initContainers'] as const) {
    const found = workload.spec.template.spec[list].find((candidate) => candidate.name === name);
    if (found) return { path: `/spec/template/spec/${list}/name=${name}/image`, image: found.image };
  }
  return null;
}

/** A label selector in the form of a query; only `matchLabels` and `matchExpressions` exist. */
export function selectorText(selector: Workload['spec']['selector']): string {
  const labels = Object.entries(selector.matchLabels).map(([name, value]) => `${name}=${value}`);
  const expressions = z
    .array(z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }))
    .catch([])
    .parse((selector as { readonly matchExpressions?: Json }).matchExpressions ?? []);
  const terms = expressions.map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...labels, ...terms].join(',');
}
