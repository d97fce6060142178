import { digestOf } from '../../shared/json.ts';
import { suggest } from '../../shared/suggest.ts';
import type { Finding } from '../finding.ts';
import type { Cluster } from './client.ts';
import type { Right } from './rights.ts';
import { readWorkload, type ServiceRef, sayService, type Workload } from './workload.ts';

/** What every kind reads that works on services. */
export const readingRights: readonly Right[] = [
  { verb: 'get', kind: 'Deployment' },
  { verb: 'get', kind: 'StatefulSet' },
  { verb: 'list', kind: 'Pod' },
  { verb: 'list', kind: 'Event' },
];
export const changingRights: readonly Right[] = [
  ...readingRights,
  { verb: 'patch', kind: 'Deployment' },
  { verb: 'patch', kind: 'StatefulSet' },
];

/** The services of a step; those that are not there are failed findings. Twice the same one is refused too. */
export async function findServices(
  cluster: Cluster,
  services: readonly ServiceRef[],
): Promise<{ readonly found: readonly Workload[]; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const found: Workload[] = [];
  const seen = new Set<string>();
  for (const service of services) {
    const key = `${service.kind} ${sayService(service)}`;
    if (seen.has(key)) findings.push(failed('service-named-twice', `${key} is named twice`, 'Name it once.', service));
    seen.add(key);
    const workload = await readWorkload(cluster, service);
    if (workload) found.push(workload);
    else findings.push(await missing(cluster, service));
  }
  return { found, findings };
}

/** True where both name the same service. */
export function isSame(one: ServiceRef, other: ServiceRef): boolean {
  return one.kind === other.kind && one.namespace === other.namespace && one.name === other.name;
}

/** Binds a plan to these very objects, whatever their replicas are at the moment. */
export function hashServices(found: readonly Workload[]): string {
  return digestOf(found.map(({ kind, namespace, name, uid }) => `${kind} ${namespace}/${name} ${uid}`));
}

async function missing(cluster: Cluster, service: ServiceRef): Promise<Finding> {
  const { kind, namespace, name } = service;
  const others = (await cluster.list(kind, namespace)).map(({ metadata }) => metadata.name);
  const title = `There is no ${kind} ${name} in namespace ${namespace}`;
  if (others.length === 0) {
    return failed(
      'service-there',
      title,
      `The namespace has no ${kind}, or does not exist. Correct the step.`,
      service,
    );
  }
  const near = suggest(name, others);
  const named = others.slice(0, 5).join(', ');
  return failed('service-there', title, near ? `Is ${near} meant?` : `It has ${named}. Correct the step.`, service);
}

export function failed(check: string, title: string, advice: string, service: ServiceRef): Finding {
  return { check, title, status: 'failed', count: 1, samples: [sayService(service)], advice };
}

export function warning(check: string, title: string, advice: string, service: ServiceRef): Finding {
  return { ...failed(check, title, advice, service), status: 'warning' };
}
