import { z } from 'zod';
import { sayDuration } from '../../../shared/duration.ts';
import type { Finding } from '../../finding.ts';
import { defineStepKind, type StepKind } from '../../system.ts';
import { durationText, milliseconds } from '../../wait-for.ts';
import type { Client } from '../client.ts';
import { haveOwnIds, metricFields, previewQueries } from '../queries.ts';
import { meanOver, sayNumber, serverNow } from '../values.ts';

/** Tells what metrics are now. Prometheus keeps them itself: a later step asks for the same time again. */
export function recordMetricsKind(client: Client): StepKind {
  return defineStepKind({
    name: 'prometheus.record-metrics',
    effect: 'reads',
    input: z.strictObject({
      queries: z.array(z.strictObject(metricFields)).min(1).max(50).refine(haveOwnIds, 'two queries have the same id'),
      over: durationText.describe('The mean of this long up to now is told, e.g. 10m.'),
    }),
    describe: ({ queries, over }) => `tell ${queries.length} metrics over the last ${over}`,
    preview: ({ queries }, context) => previewQueries(client, queries, 'one series', context),
    performBatch: async () => ({ cursor: null, done: 0 }),
    async verify({ queries, over }, { signal }) {
      const window = { end: await serverNow(client, signal), overMs: milliseconds(over) };
      const findings: Finding[] = [];
      for (const { id, title, query } of queries) {
        const found = await meanOver(client, query, window, signal);
        if ('why' in found) {
          const advice = `${found.why} of the last ${sayDuration(window.overMs)}.`;
          findings.push({ check: id, title, status: 'skipped', count: null, samples: [], advice });
        } else {
          const told = `${title}: ${sayNumber(found.mean)}`;
          findings.push({ check: id, title: told, status: 'passed', count: 0, samples: [] });
        }
      }
      return findings;
    },
  });
}
