import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Cluster } from './client.ts';
import type { Manifest } from './manifest.ts';
import { pathOf, resources } from './resources.ts';
import type { Right } from './rights.ts';
import { scrubLine } from './scrub.ts';

export const logRight: Right = { verb: 'get', kind: 'Pod', sub: 'log' };

interface LogsOptions {
  /** Only lines since then; absent = all. */
  readonly since?: Date;
  readonly tailLines?: number;
  /** Of the container before it was restarted. */
  readonly previous?: boolean;
}

/** No more of one container is read. */
const mostBytes = 5_000_000;

/** The lines of a container as they are: never to be shown unscrubbed. Or why there are none to be had. */
export async function readLogs(
  cluster: Cluster,
  pod: Manifest,
  container: string,
  { since, tailLines, previous }: LogsOptions = {},
): Promise<{ readonly lines: readonly string[] } | { readonly none: string }> {
  const { namespace, name } = pod.metadata;
  const query = new URLSearchParams({ container, limitBytes: String(mostBytes) });
  if (since) query.set('sinceTime', since.toISOString());
  if (tailLines !== undefined) query.set('tailLines', String(tailLines));
  if (previous) query.set('previous', 'true');
  try {
    const body = await cluster.request(
      { verb: 'get', resource: 'pods/log', namespace, name },
      { method: 'GET', path: `${pathOf(resources.Pod, namespace, name, 'log')}?${query}` },
    );
    return { lines: (body ?? '').split('\n').filter((line) => line.trim() !== '') };
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'missing-rights' || error.code === 'cancelled') throw error;
    return { none: `the logs of pod ${name} (${container}) cannot be read` };
  }
}

const containersSchema = z.object({
  spec: z.object({ containers: z.array(z.object({ name: z.string() })) }),
  status: z
    .object({
      containerStatuses: z
        .array(z.object({ name: z.string(), restartCount: z.number().default(0) }))
        .nullish()
        .transform((statuses) => statuses ?? []),
    })
    .prefault({}),
});

/** Names of a pod's containers, with how often each was restarted. */
export function containersOf(pod: Manifest): readonly { readonly name: string; readonly restarts: number }[] {
  const { spec, status } = containersSchema.parse(pod);
  return spec.containers.map(({ name }) => ({
    name,
    restarts: status.containerStatuses.find((one) => one.name === name)?.restartCount ?? 0,
  }));
}

const mostLines = 20;
const mostText = 1_500;

/** The last lines of these pods, scrubbed: at most 20, and no more than fits into a message. Empty where none are to be had. */
export async function lastLines(cluster: Cluster, pods: readonly Manifest[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pod of pods.slice(-2)) {
    for (const { name } of containersOf(pod)) {
      // Without the right to read logs the reasons have to do.
      const logs = await readLogs(cluster, pod, name, { tailLines: mostLines }).catch(() => ({ lines: [] }));
      if ('lines' in logs) found.push(...logs.lines.map(scrubLine));
    }
  }
  const last = found.slice(-mostLines);
  while (last.join('\n').length > mostText) last.shift();
  return last;
}
