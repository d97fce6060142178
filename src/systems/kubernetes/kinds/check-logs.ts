import { z } from 'zod';
import type { Finding } from '../../finding.ts';
import { defineStepKind, readingPreview } from '../../system.ts';
import { durationText } from '../../wait-for.ts';
import { findServices, hashServices, readingRights } from '../find-services.ts';
import type { KindSetting } from '../part.ts';
import { containersOf, logRight, readLogs } from '../pod-logs.ts';
import { listPods } from '../pods.ts';
import { scrubLine } from '../scrub.ts';
import { fitsAny, sayTime, serviceFinding, sinceWhen } from '../service-pods.ts';
import { sayService, serviceRef, type Workload } from '../workload.ts';
import type { ClusterKind } from './index.ts';

/** A regular expression of a step. */
export const patternText = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => {
    try {
      new RegExp(text);
      return true;
    } catch {
      return false;
    }
  }, 'a regular expression');

const inputSchema = z.strictObject({
  services: z.array(serviceRef).min(1).max(50).describe('Services whose pods’ logs are read.'),
  last: durationText.optional().describe('How far back, e.g. `10m`. Absent = since the run’s start.'),
  pattern: patternText
    .default('\\b(ERROR|FATAL|PANIC|CRITICAL|Exception|Traceback)\\b|"level":\\s*"(error|fatal)"')
    .describe('A regular expression: what a line of an error looks like.'),
  allow: z.array(patternText).max(50).default([]).describe('Lines that fit one of these are no errors.'),
  atMost: z.number().int().min(0).default(0).describe('So many errors of a service are let pass.'),
});
type Input = z.infer<typeof inputSchema>;

/** Reads the logs of services since the run's start and finds lines that look like errors. */
export function checkLogsKind(setting: KindSetting): ClusterKind {
  const { cluster } = setting;
  const kind = defineStepKind<Input>({
    name: 'kubernetes.check-logs',
    effect: 'reads',
    input: inputSchema,
    describe: ({ services }) => `looks for errors in the logs of ${services.map(sayService).join(', ')}`,
    async preview({ services }) {
      const { found, findings } = await findServices(cluster, services);
      return { ...readingPreview, schemaHash: hashServices(found), findings };
    },
    performBatch: () => Promise.resolve({ cursor: null, done: 0 }),
    async verify(input, context) {
      const { found, findings } = await findServices(cluster, input.services);
      const since = sinceWhen(context, input.last);
      const judged: Finding[] = [...findings];
      for (const workload of found) {
        context.signal.throwIfAborted();
        judged.push(await judgeLogs(setting, workload, input, since));
      }
      return judged;
    },
    narrow: () => null,
  });
  return { kind, rights: [...readingRights, logRight] };
}

async function judgeLogs({ cluster }: KindSetting, workload: Workload, input: Input, since: Date): Promise<Finding> {
  const pattern = new RegExp(input.pattern);
  const allow = input.allow.map((text) => new RegExp(text));
  const samples: string[] = [];
  let count = 0;
  let read = 0;
  let unread = '';
  const pods = await listPods(cluster, workload);
  for (const { manifest, name: pod } of pods) {
    for (const { name, restarts } of containersOf(manifest)) {
      for (const previous of restarts > 0 ? [true, false] : [false]) {
        const logs = await readLogs(cluster, manifest, name, { since, previous });
        if ('none' in logs) {
          unread = logs.none;
          continue;
        }
        read += logs.lines.length;
        const errors = logs.lines.filter((line) => pattern.test(line) && !fitsAny(line, allow));
        count += errors.length;
        samples.push(...errors.slice(0, 5 - samples.length).map((line) => `${pod}: ${scrubLine(line)}`));
      }
    }
  }
  const where = `${sayService(workload)} since ${sayTime(since)}`;
  if (count > input.atMost) {
    const title = `${count} ${count === 1 ? 'line' : 'lines'} of the logs of ${where} look like errors`;
    const advice = 'Read them where the logs are kept. Allow what is harmless (`allow`), or undo.';
    return serviceFinding('logs', workload, { title, status: 'failed', count, samples, advice });
  }
  if (read === 0 || unread !== '') {
    const why = pods.length === 0 ? 'it has no pods' : unread || 'its logs hold no lines of that time';
    const title = `The logs of ${where} say nothing`;
    return serviceFinding('logs', workload, { title, status: 'skipped', count: null, samples: [], advice: why });
  }
  const title = `No errors in the ${read} lines of the logs of ${where}`;
  return serviceFinding('logs', workload, { title, status: 'passed', count: 0, samples: [] });
}
