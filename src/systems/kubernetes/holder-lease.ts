import { z } from 'zod';
import type { JsonObject } from '../../shared/json.ts';
import type { Holder, HolderMark } from '../holder-mark.ts';
import type { Cluster, PatchOperation } from './client.ts';
import { leaseName } from './fence.ts';

const noteAnnotation = 'tas-bot/holds';

const leaseSchema = z.object({
  spec: z.object({
    holderIdentity: z.string().default(''),
    leaseDurationSeconds: z.number().default(0),
    acquireTime: z.string().nullish(),
    renewTime: z.string().nullish(),
    leaseTransitions: z.number().default(0),
  }),
});

/**
 * The Lease `tas-<environment>-holder` in the home namespace. `now` in milliseconds; the clock of the bot writes and judges, so that two clocks do not have to agree.
 */
export function createHolderLease(cluster: Cluster, now: () => number = Date.now): HolderMark {
  const objectOf = (environment: string) => {
    return { kind: 'Lease', namespace: cluster.home, name: `${leaseName(environment)}-holder` } as const;
  };
  const readAll = async (environment: string) => {
    const found = await cluster.get(objectOf(environment));
    if (found === null) return null;
    const { spec } = leaseSchema.parse(found);
    const renewedAt = new Date(spec.renewTime ?? 0);
    const holder: Holder = {
      environment,
      runId: spec.holderIdentity,
      note: found.metadata.annotations?.[noteAnnotation] ?? '',
      acquiredAt: new Date(spec.acquireTime ?? 0),
      renewedAt,
      seconds: spec.leaseDurationSeconds,
      expired: renewedAt.getTime() + spec.leaseDurationSeconds * 1000 < now(),
    };
    return { found, holder, transitions: spec.leaseTransitions };
  };
  return {
    async hold({ environment, runId, seconds, note = '' }) {
      const object = objectOf(environment);
      for (;;) {
        const seen = await readAll(environment);
        const at = microTime(now());
        const annotations = { [noteAnnotation]: note };
        const spec = { holderIdentity: runId, leaseDurationSeconds: seconds, renewTime: at };
        if (seen === null) {
          const fresh = { ...spec, acquireTime: at, leaseTransitions: 0 };
          const manifest = { metadata: { name: object.name, annotations }, spec: fresh };
          if (await cluster.create('Lease', cluster.home, manifest)) return true;
          continue;
        }
        const own = seen.holder.runId === runId;
        if (!own && !seen.holder.expired) return false;
        const since = own ? microTime(seen.holder.acquiredAt.getTime()) : at;
        const leaseTransitions = seen.transitions + (own ? 0 : 1);
        const whole: JsonObject = { ...spec, acquireTime: since, leaseTransitions };
        const merged = { ...seen.found.metadata.annotations, ...annotations };
        const operations: PatchOperation[] = [
          { op: 'add', path: '/spec', value: whole },
          { op: 'add', path: '/metadata/annotations', value: merged },
        ];
        if (await cluster.patch(object, seen.found.metadata.resourceVersion, operations)) return true;
      }
    },
    async release(environment, runId) {
      const seen = await readAll(environment);
      if (seen === null || seen.holder.runId !== runId) return false;
      // Somebody else may take it between the look and this: only the object that was looked at is removed, and only as it was.
      return cluster.removeVersion(objectOf(environment), seen.found.metadata);
    },
    async read(environment) {
      return (await readAll(environment))?.holder ?? null;
    },
  };
}

/** As Leases hold times: RFC 3339 with microseconds. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
