import { z } from 'zod';
import type { Cluster } from './client.ts';
import type { Manifest } from './manifest.ts';
import { selectorText, type Workload } from './workload.ts';

const state = z.object({ reason: z.string().optional() }).nullish();
const podSchema = z.object({
  spec: z.object({ nodeName: z.string().optional() }).prefault({}),
  status: z
    .object({
      phase: z.string().default('Unknown'),
      conditions: z
        .array(z.object({ type: z.string(), status: z.string(), reason: z.string().optional() }))
        .nullish()
        .transform((conditions) => conditions ?? []),
      containerStatuses: z
        .array(
          z.object({
            name: z.string(),
            restartCount: z.number().default(0),
            state: z.object({ waiting: state, terminated: state }).partial().nullish(),
          }),
        )
        .nullish()
        .transform((statuses) => statuses ?? []),
    })
    .prefault({}),
});

/** A pod with what tells whether it works. */
export interface Pod {
  readonly manifest: Manifest;
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly onNode: boolean;
  readonly ending: boolean;
  /** Why it does not work, as the kubelet says it: ImagePullBackOff, CrashLoopBackOff … */
  readonly reasons: readonly string[];
}

/** The workload's pods that still run or may run: those that ended for good are left out. */
export async function listPods(cluster: Cluster, { namespace, spec }: Workload): Promise<readonly Pod[]> {
  const found = await cluster.list('Pod', namespace, { labels: selectorText(spec.selector) });
  return found.map(podOf).filter(({ phase }) => phase !== 'Succeeded' && phase !== 'Failed');
}

export function podOf(manifest: Manifest): Pod {
  const { spec, status } = podSchema.parse(manifest);
  const is = (type: string): string | undefined => status.conditions.find((one) => one.type === type)?.status;
  const unscheduled = status.conditions.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False');
  const waiting = status.containerStatuses.flatMap(({ name, state: now }) => {
    const reason = now?.waiting?.reason ?? now?.terminated?.reason;
    return reason === undefined ? [] : [`${name}: ${reason}`];
  });
  return {
    manifest,
    name: manifest.metadata.name,
    phase: status.phase,
    ready: is('Ready') === 'True',
    onNode: spec.nodeName !== undefined,
    ending: manifest.metadata.deletionTimestamp !== undefined,
    reasons: [...(unscheduled ? [unscheduled.reason ?? 'Unschedulable'] : []), ...waiting],
  };
}

const eventSchema = z.object({
  type: z.string().default('Normal'),
  reason: z.string().default(''),
  message: z.string().default(''),
  involvedObject: z.object({ kind: z.string().default(''), name: z.string().default(''), uid: z.string().default('') }),
});

/**
 * Why pods of a workload do not get ready, at most `limit` lines: the kubelet's reasons, then warnings from the events of
 * pods, replica sets and the workload itself. Empty where nothing says why.
 */
export async function explainPods(cluster: Cluster, workload: Workload, limit = 4): Promise<readonly string[]> {
  const pods = (await listPods(cluster, workload)).filter(({ ready }) => !ready);
  const lines = pods.flatMap(({ name, phase, reasons }) =>
    reasons.map((reason) => `pod ${name} is ${phase} (${reason})`),
  );
  const names = new Set([workload.name, ...pods.map(({ name }) => name)]);
  // Without the right to read events the reasons have to do.
  const events = await cluster.list('Event', workload.namespace).catch(() => []);
  const warnings = events.flatMap((event) => {
    const { type, reason, message, involvedObject } = eventSchema.parse(event);
    const ours =
      names.has(involvedObject.name) ||
      (involvedObject.kind === 'ReplicaSet' && involvedObject.name.startsWith(`${workload.name}-`));
    if (type !== 'Warning' || !ours) return [];
    return [`${reason}: ${shorten(message)}`];
  });
  const unique = [...new Set([...lines.slice(0, limit - 1), ...warnings.reverse()])];
  return unique.slice(0, limit);
}

/** Events quote images and names of nodes, no values; long ones are cut. */
function shorten(message: string): string {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
