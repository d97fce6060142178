import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import { defineStepKind, readingPreview } from '../../system.ts';
import { durationText, milliseconds, waitFor } from '../../wait-for.ts';
import { findServices, hashServices, readingRights } from '../find-services.ts';
import type { KindSetting } from '../part.ts';
import { explainPods } from '../pods.ts';
import { readWorkload, sayService, serviceRef, unfinished, type Workload } from '../workload.ts';
import type { ClusterKind } from './index.ts';

const inputSchema = z.strictObject({
  services: z.array(serviceRef).min(1).max(50).describe('Services that have to be up.'),
  within: durationText.default('10m').describe('How long they may take together, e.g. `10m`.'),
});
type Input = z.infer<typeof inputSchema>;

/** Waits until services are rolled out and ready; changes nothing. */
export function awaitRolloutKind({ cluster }: KindSetting): ClusterKind {
  const kind = defineStepKind<Input>({
    name: 'kubernetes.await-rollout',
    effect: 'reads',
    input: inputSchema,
    describe: ({ services }) => `waits until ${services.map(sayService).join(', ')} are ready`,
    async preview({ services }) {
      const { found, findings } = await findServices(cluster, services);
      return { ...readingPreview, schemaHash: hashServices(found), findings };
    },
    performBatch: ({ services, within }, batch, context) => {
      let missing: Workload | null = null;
      return waitFor(batch, {
        withinMs: milliseconds(within),
        signal: context.signal,
        async look() {
          const notes: string[] = [];
          missing = null;
          for (const service of services) {
            const found = await readWorkload(cluster, service);
            const why =
              found === null
                ? 'it is not there'
                : found.spec.replicas === 0
                  ? 'it stands at 0 replicas'
                  : unfinished(found);
            if (why === null) continue;
            missing ??= found;
            notes.push(`${sayService(service)}: ${why}`);
          }
          if (notes.length === 0) return null;
          return `${services.length - notes.length} of ${services.length} services are ready; ${notes.slice(0, 3).join('; ')}`;
        },
        async tooLong(waitsFor, waited) {
          const why = missing === null ? [] : await explainPods(cluster, missing);
          return new Failure({
            code: 'timed-out',
            message: `${cluster.place.system}: after ${waited} ${waitsFor}.${why.length > 0 ? ` ${why.join('; ')}.` : ''}`,
            advice:
              'Nothing was changed by waiting. Mend the cause (image, node, quota) and try again, or undo the steps before.',
            retryable: true,
          });
        },
      });
    },
    narrow: () => null,
  });
  return { kind, rights: readingRights };
}
