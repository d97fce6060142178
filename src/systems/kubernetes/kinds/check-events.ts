import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import { defineStepKind, readingPreview } from '../../system.ts';
import { durationText } from '../../wait-for.ts';
import { findServices, hashServices, readingRights } from '../find-services.ts';
import type { Manifest } from '../manifest.ts';
import type { KindSetting } from '../part.ts';
import { scrubLine } from '../scrub.ts';
import { fitsAny, sayTime, serviceFinding, sinceWhen } from '../service-pods.ts';
import { sayService, serviceRef, type Workload } from '../workload.ts';
import { patternText } from './check-logs.ts';
import type { ClusterKind } from './index.ts';

const inputSchema = z.strictObject({
  services: z.array(serviceRef).min(1).max(50).describe('Services whose events are looked at, their pods’ too.'),
  last: durationText.optional().describe('How far back, e.g. `10m`. Absent = since the run’s start.'),
  allow: z
    .array(patternText)
    .max(50)
    .default([])
    .describe('Warnings whose `Reason: message` fits one of these are let pass, e.g. `^Unhealthy: Readiness`.'),
  blocking: z.boolean().default(true).describe('False: warnings are told, and the step passes.'),
});
type Input = z.infer<typeof inputSchema>;

/** Finds what the cluster warned of since the run's start. */
export function checkEventsKind({ cluster }: KindSetting): ClusterKind {
  const kind = defineStepKind<Input>({
    name: 'kubernetes.check-events',
    effect: 'reads',
    input: inputSchema,
    describe: ({ services }) => `looks for warnings in the events of ${services.map(sayService).join(', ')}`,
    async preview({ services }) {
      const { found, findings } = await findServices(cluster, services);
      return { ...readingPreview, schemaHash: hashServices(found), findings };
    },
    performBatch: () => Promise.resolve({ cursor: null, done: 0 }),
    async verify(input, context) {
      const { found, findings } = await findServices(cluster, input.services);
      const since = sinceWhen(context, input.last);
      const events = new Map<string, readonly Manifest[]>();
      for (const namespace of new Set(found.map((workload) => workload.namespace))) {
        events.set(namespace, await cluster.list('Event', namespace));
      }
      return [
        ...findings,
        ...found.map((workload) => judge(workload, events.get(workload.namespace) ?? [], input, since)),
      ];
    },
    narrow: () => null,
  });
  return { kind, rights: readingRights };
}

const eventSchema = z.object({
  type: z.string().default('Normal'),
  reason: z.string().default(''),
  message: z.string().nullish(),
  count: z.number().nullish(),
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default('') }),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  series: z.object({ lastObservedTime: z.string().nullish() }).nullish(),
});

function judge(workload: Workload, events: readonly Manifest[], input: Input, since: Date): Finding {
  const allow = input.allow.map((text) => new RegExp(text));
  const seen = new Map<string, number>();
  for (const found of events) {
    const event = eventSchema.parse(found);
    if (event.type !== 'Warning' || !isOf(workload, event.involvedObject)) continue;
    const at = event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime;
    // The server keeps whole seconds: what happened in the second of the run's start counts.
    const when = Date.parse(at ?? found.metadata.creationTimestamp ?? '');
    if (when < Math.floor(since.getTime() / 1000) * 1000) continue;
    const said = `${event.reason}: ${event.message ?? ''}`;
    if (fitsAny(said, allow)) continue;
    const shown = `${event.involvedObject.name}: ${scrubLine(said)}`;
    seen.set(shown, (seen.get(shown) ?? 0) + (event.count ?? 1));
  }
  const where = `${sayService(workload)} since ${sayTime(since)}`;
  if (seen.size === 0) {
    return serviceFinding('events', workload, {
      title: `No warnings of ${where}`,
      status: 'passed',
      count: 0,
      samples: [],
    });
  }
  const samples = [...seen].slice(-5).map(([said, times]) => (times > 1 ? `${said} (${times} times)` : said));
  const title = `${seen.size} ${seen.size === 1 ? 'warning' : 'warnings'} of ${where}`;
  const advice = 'Mend the cause, allow what is harmless (`allow`), or undo.';
  const status = input.blocking ? 'failed' : 'warning';
  return serviceFinding('events', workload, { title, status, count: seen.size, samples, advice });
}

/** The workload itself, its replica sets and pods: their names begin with its own and end with marks of the cluster. */
function isOf(workload: Workload, { kind, name }: { readonly kind: string; readonly name: string }): boolean {
  if (kind === workload.kind) return name === workload.name;
  if (!name.startsWith(`${workload.name}-`)) return false;
  const rest = name.slice(workload.name.length + 1);
  if (kind === 'ReplicaSet') return workload.kind === 'Deployment' && /^[a-z0-9]{5,10}$/.test(rest);
  if (kind !== 'Pod') return false;
  return workload.kind === 'Deployment' ? /^[a-z0-9]{5,10}-[a-z0-9]{5}$/.test(rest) : /^\d+$/.test(rest);
}
