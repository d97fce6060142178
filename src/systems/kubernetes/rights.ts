import { z } from 'zod';
import type { Cluster } from './client.ts';
import { type ResourceName, resources } from './resources.ts';

/** Something that the bot must be allowed to do. */
export interface Right {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'update' | 'delete';
  readonly kind: ResourceName;
  /** E.g. `log`. */
  readonly sub?: string;
  /** True = only the home namespace matters. Absent = every namespace that steps may touch. */
  readonly home?: true;
}

/** `patch deployments.apps in namespace aether-be`. */
export function sayRight({ verb, kind, sub }: Right, namespace: string): string {
  const { group, plural } = resources[kind];
  return `${verb} ${plural}${sub ? `/${sub}` : ''}${group === '' ? '' : `.${group}`} in namespace ${namespace}`;
}

const reviewSchema = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Asks the server itself (SelfSubjectAccessReview). */
export async function isAllowed(cluster: Cluster, { verb, kind, sub }: Right, namespace: string): Promise<boolean> {
  const { group, plural: resource } = resources[kind];
  const attributes = { verb, group, resource, namespace, ...(sub ? { subresource: sub } : {}) };
  const answer = await cluster.request(
    { verb: 'create', resource: 'selfsubjectaccessreviews.authorization.k8s.io', namespace: null },
    {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: attributes },
      },
    },
  );
  return reviewSchema.parse(JSON.parse(answer ?? '')).status.allowed;
}
