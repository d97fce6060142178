import { Failure } from '../../shared/failure.ts';
import type { StepContext } from '../system.ts';
import type { Change } from './change.ts';
import type { Cluster } from './client.ts';
import type { KindSetting } from './part.ts';
import { explainPods, listPods } from './pods.ts';
import type { PartWait } from './walk.ts';
import { readWorkload, type ServiceRef, sayService, unfinished, workloadKinds } from './workload.ts';

/** Waits until the service is what its specification says: no pods at 0 replicas, else all of them new and ready. */
export function waitUntilSettled(cluster: Cluster, service: ServiceRef): PartWait {
  return {
    look: () => lookAtService(cluster, service),
    tooLong: (waitsFor, waited) => notSettled(cluster, service, waitsFor, waited),
  };
}

/** The same after its template has changed. */
export function waitUntilReplaced(setting: KindSetting, context: StepContext, service: ServiceRef): PartWait {
  const wait = waitUntilSettled(setting.cluster, service);
  return {
    ...wait,
    async look() {
      await removeStuckPods(setting, context, service);
      return wait.look();
    },
  };
}

/**
 * A StatefulSet replaces no pod that is not ready, not even when its template was mended meanwhile: it waits for the pod for
 * ever. Pods of an older template that are not ready are of no use to anybody, and are deleted.
 */
async function removeStuckPods(
  { cluster, fence }: KindSetting,
  context: StepContext,
  service: ServiceRef,
): Promise<void> {
  if (service.kind !== 'StatefulSet') return;
  const found = await readWorkload(cluster, service);
  if (found === null || found.spec.updateStrategy?.type !== 'RollingUpdate') return;
  if (found.status.observedGeneration < (found.manifest.metadata.generation ?? 0)) return;
  for (const { name, ready, ending, manifest } of await listPods(cluster, found)) {
    const revision = manifest.metadata.labels?.['controller-revision-hash'];
    if (ready || ending || revision === undefined || revision === found.status.updateRevision) continue;
    await fence.check(context.fence);
    await cluster.remove({ kind: 'Pod', namespace: service.namespace, name }, manifest.metadata.uid);
  }
}

/** Waits until no pod of the service is left. Throws when somebody scales it up meanwhile. */
export function waitUntilGone(cluster: Cluster, service: ServiceRef): PartWait {
  return {
    async look() {
      const found = await readWorkload(cluster, service);
      if (found !== null && found.spec.replicas > 0) throw scaledUp(cluster, service, found.spec.replicas);
      return lookAtService(cluster, service);
    },
    tooLong: (waitsFor, waited) => notSettled(cluster, service, waitsFor, waited),
  };
}

/** For each workload that these changes scaled or gave another image. */
export function waitForChanged(
  setting: KindSetting,
  context: StepContext,
  changes: readonly Change[],
): PartWait | null {
  const services = changes.flatMap((change): ServiceRef[] => {
    const kind = workloadKinds.find((known) => known === change.object.kind);
    return kind === undefined || change.aside ? [] : [{ ...change.object, kind }];
  });
  const [first] = services;
  if (first === undefined) return null;
  const waits = services.map((service) => waitUntilReplaced(setting, context, service));
  let current = 0;
  return {
    async look() {
      for (; current < waits.length; current += 1) {
        const missing = await waits[current]?.look();
        if (missing) return missing;
      }
      current = 0;
      return null;
    },
    tooLong: (waitsFor, waited) =>
      (waits[current] ?? waitUntilReplaced(setting, context, first)).tooLong(waitsFor, waited),
  };
}

async function lookAtService(cluster: Cluster, service: ServiceRef): Promise<string | null> {
  const found = await readWorkload(cluster, service);
  // Somebody removed it: nothing comes any more, and a conflict of the journal or the next preview says so.
  if (found === null) return null;
  if (found.spec.replicas > 0) {
    const missing = unfinished(found);
    return missing && `${sayService(service)}: ${missing}`;
  }
  const pods = await listPods(cluster, found);
  if (pods.length === 0) return null;
  return `${pods.length} ${pods.length === 1 ? 'pod' : 'pods'} of ${sayService(service)} to end`;
}

/** What a service that does not get there fails with: with the reasons and events of its pods. */
async function notSettled(cluster: Cluster, service: ServiceRef, waitsFor: string, waited: string): Promise<Failure> {
  const found = await readWorkload(cluster, service);
  const why = found === null ? [] : await explainPods(cluster, found);
  const stopping = found?.spec.replicas === 0;
  const reasons = why.length > 0 ? ` ${why.join('; ')}.` : '';
  return new Failure({
    code: 'timed-out',
    message: `${cluster.place.system}: after ${waited} still waiting: ${waitsFor}.${reasons}`,
    advice: stopping
      ? 'The service is scaled to 0 and its replicas are remembered. See why its pods do not end (finalizers, a lost node), then try again, or undo: that starts it again.'
      : 'Undo is safe: it brings back what was before. Or mend the cause (image, node, quota) and try again: it goes on waiting.',
    retryable: true,
  });
}

function scaledUp(cluster: Cluster, service: ServiceRef, replicas: number): Failure {
  return new Failure({
    code: 'conflict',
    message: `${cluster.place.system}: somebody scaled ${sayService(service)} up to ${replicas} while it was being stopped.`,
    advice: 'It was left as it is. Find out who needs it; scale it to 0 and try again, or undo.',
    retryable: true,
  });
}
