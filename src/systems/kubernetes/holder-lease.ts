import { z } from 'zod';
import type { JsonObject } from '../../shared/json.ts';
import type { Cluster, PatchOperation } from './client.ts';
import { leaseName } from './fence.ts';

/** Who holds an environment, as anybody with kubectl can read it when the bot is gone. */
export interface Holder {
  readonly environment: string;
  readonly runId: string;
  /** What the run has set up, in words, as it last said. */
  readonly note: string;
  readonly acquiredAt: Date;
  readonly renewedAt: Date;
  readonly seconds: number;
  /** Nobody has renewed it for longer than it lasts: the bot stands still or is gone. */
  readonly expired: boolean;
}

/** The Lease `tas-<environment>-holder` in the home namespace: renewed while a run holds the environment. */
export interface HolderLease {
  /**
   * Takes it, or renews what this run holds already. False where another run holds one that has not expired: nothing is
   * written then.
   */
  hold(holder: { environment: string; runId: string; seconds: number; note?: string }): Promise<boolean>;
  /** Removes it where this run holds it; false where it does not. */
  release(environment: string, runId: string): Promise<boolean>;
  /** Null where nobody holds the environment. */
  read(environment: string): Promise<Holder | null>;
}

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

/** `now` in milliseconds; the clock of the bot writes and judges, so that two clocks do not have to agree. */
export function createHolderLease(cluster: Cluster, now: () => number = Date.now): HolderLease {
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
