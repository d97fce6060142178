import { Failure } from '../../shared/failure.ts';
import type { Fence } from '../system.ts';
import type { Cluster } from './client.ts';
import { annotationPath } from './fields.ts';

const annotation = 'tas-bot/token';

/** A Lease for each environment in the home namespace, whose annotation holds the greatest token that was seen. */
export interface FenceStore {
  /** Writes the token; throws `fenced` where a greater one stands. Called before every write. */
  check(fence: Fence): Promise<void>;
  /** Writes at least this token. */
  raise(fence: Fence): Promise<void>;
}

export function createFence(cluster: Cluster): FenceStore {
  return {
    check: (fence) => move(cluster, fence, true),
    raise: (fence) => move(cluster, fence, false),
  };
}

/** Compares and writes on the version that was read: a later writer in between makes it read again. */
async function move(cluster: Cluster, fence: Fence, refuse: boolean): Promise<void> {
  const lease = { kind: 'Lease', namespace: cluster.home, name: leaseName(fence.environment) } as const;
  for (;;) {
    const seen = await cluster.get(lease);
    const token = Number(seen?.metadata.annotations?.[annotation] ?? -1);
    if (token > fence.token && refuse) throw fenced(cluster, fence);
    if (token >= fence.token) return;
    const value = String(fence.token);
    if (seen === null) {
      const metadata = { name: lease.name, annotations: { [annotation]: value } };
      if (await cluster.create('Lease', lease.namespace, { metadata })) return;
      continue;
    }
    const whole = { ...(seen.metadata.annotations ?? {}), [annotation]: value };
    const operation = seen.metadata.annotations
      ? { op: 'add' as const, path: annotationPath(annotation), value }
      : { op: 'add' as const, path: '/metadata/annotations', value: whole };
    if (await cluster.patch(lease, seen.metadata.resourceVersion, [operation])) return;
  }
}

/** Names of Leases take lower-case letters, digits and `-`. */
export function leaseName(environment: string): string {
  if (/^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/.test(environment)) return `tas-${environment}`;
  return `tas-env-${Buffer.from(environment).toString('hex').slice(0, 50)}`;
}

function fenced(cluster: Cluster, fence: Fence): Failure {
  return new Failure({
    code: 'fenced',
    message: `${cluster.place.system}: another process holds the environment ${fence.environment} by now; this one may change nothing any more.`,
    advice: 'The process that holds the environment goes on with the run.',
  });
}
