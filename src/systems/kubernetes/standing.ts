import type { Standing } from '../system.ts';
import type { Change, FieldsChange } from './change.ts';
import type { Cluster } from './client.ts';
import type { JournalStore } from './journal.ts';
import { listPods } from './pods.ts';
import { sayObject } from './resources.ts';
import { listWorkloads, readWorkload, type ServiceRef, sayService, type Workload } from './workload.ts';

/** What the bot writes on workloads that it stops. */
export const marks = {
  /** How many replicas it had: never overwritten, never 0. */
  replicas: 'tas-bot/replicas',
  /** The run that stopped it. */
  stoppedBy: 'tas-bot/stopped-by',
  /** The run that is starting it again: from then on it does not close the stores any more. */
  starting: 'tas-bot/starting',
  /** On what would bring a stopped service back: the run that suspended it, and its fields before, as JSON. */
  suspendedBy: 'tas-bot/suspended-by',
  suspended: 'tas-bot/suspended',
} as const;

/** The remembered count of replicas; null where there is none or it makes no sense. */
export function remembered({ annotations }: Pick<Workload, 'annotations'>): number | null {
  const text = annotations[marks.replicas] ?? '';
  return /^[1-9]\d{0,4}$/.test(text) ? Number(text) : null;
}

/** `2 replicas are remembered`. */
export function sayRemembered(count: number): string {
  return `${count} ${count === 1 ? 'replica is' : 'replicas are'} remembered`;
}

/** Namespaces that exist for the bot, each once. */
function allNamespaces(cluster: Cluster): readonly string[] {
  return [...new Set(cluster.namespaces)];
}

/** Services that these runs stopped and nobody has started again. */
async function stoppedBy(cluster: Cluster, runIds: readonly string[]): Promise<readonly Workload[]> {
  const lists = await Promise.all(allNamespaces(cluster).map((namespace) => listWorkloads(cluster, namespace)));
  return lists.flat().filter(({ annotations }) => runIds.includes(annotations[marks.stoppedBy] ?? ''));
}

const suspendable = [
  'HorizontalPodAutoscaler',
  'CronJob',
  'ScaledObject',
  'Application',
  'Kustomization',
  'HelmRelease',
] as const;
const plainNames = {
  HorizontalPodAutoscaler: 'the autoscaler',
  CronJob: 'the CronJob',
  ScaledObject: 'the ScaledObject',
  Application: 'the Argo CD application',
  Kustomization: 'the Flux Kustomization',
  HelmRelease: 'the Flux HelmRelease',
} as const;

/** Services stopped by these runs, and what is suspended along with them. */
export async function readStanding(
  cluster: Cluster,
  journal: JournalStore,
  runIds: readonly string[],
): Promise<readonly Standing[]> {
  const stopped = await stoppedBy(cluster, runIds);
  const services = stopped.map((workload): Standing => {
    const count = remembered(workload);
    const memory = count === null ? 'how many replicas it had is not remembered' : sayRemembered(count);
    const starting = workload.annotations[marks.starting] !== undefined;
    const how = starting
      ? 'is being started'
      : workload.spec.replicas === 0
        ? 'is stopped'
        : 'was stopped and runs again';
    return { what: `${sayService(workload)} ${how} (${memory})`, closes: !starting };
  });
  const forgotten = await readForgotten(cluster, journal, runIds);
  return [...services, ...forgotten, ...(await readSuspended(cluster, runIds))];
}

/** Services that the runs stopped and never started, from which somebody took the marks: they stand at 0 all the same. */
async function readForgotten(
  cluster: Cluster,
  journal: JournalStore,
  runIds: readonly string[],
): Promise<readonly Standing[]> {
  const changes = (await Promise.all(runIds.map((runId) => journal.readChanges(runId)))).flat();
  const started = new Set(changes.filter((change) => scales(change, 'before')).map(({ object }) => sayObject(object)));
  const found: Standing[] = [];
  for (const change of changes) {
    if (!scales(change, 'after') || started.has(sayObject(change.object))) continue;
    const { kind, namespace, name } = change.object;
    const workload = await readWorkload(cluster, { kind: kind as ServiceRef['kind'], namespace, name });
    if (workload === null || workload.uid !== change.uid || workload.spec.replicas > 0) continue;
    if (workload.annotations[marks.stoppedBy] !== undefined) continue;
    const count = Number(change.before['/spec/replicas']);
    const what = `${sayService(workload)} is stopped and somebody removed what was remembered on it (it had ${count} ${count === 1 ? 'replica' : 'replicas'})`;
    found.push({ what, closes: true });
  }
  return found;
}

/** Scales something to 0 (`after`), or from it (`before`). */
function scales(change: Change, side: 'before' | 'after'): change is FieldsChange {
  return change.did === 'fields' && change[side]['/spec/replicas'] === 0;
}

/** How many replicas a service had when this run stopped it; null where it did not. */
export async function journaledReplicas(
  journal: JournalStore,
  runId: string,
  { uid }: Workload,
): Promise<number | null> {
  const changes = await journal.readChanges(runId);
  const stop = changes.find((change) => scales(change, 'after') && change.uid === uid) as FieldsChange | undefined;
  return stop === undefined ? null : Number(stop.before['/spec/replicas']);
}

async function readSuspended(cluster: Cluster, runIds: readonly string[]): Promise<readonly Standing[]> {
  const asked = allNamespaces(cluster).flatMap((namespace) => suspendable.map((kind) => ({ namespace, kind })));
  const found = await Promise.all(
    asked.map(async ({ namespace, kind }) => {
      // A bot that may not read a kind has not suspended one either.
      const list = await cluster.list(kind, namespace).catch(() => []);
      const ours = list.filter(({ metadata }) => runIds.includes(metadata.annotations?.[marks.suspendedBy] ?? ''));
      return ours.map(({ metadata }) => ({
        what: `${plainNames[kind]} ${namespace}/${metadata.name} is suspended`,
        closes: false,
      }));
    }),
  );
  return found.flat();
}

/** Services that these runs stopped and somebody else runs again, by name. */
export async function readIntrusions(cluster: Cluster, runIds: readonly string[]): Promise<readonly string[]> {
  const services = (await stoppedBy(cluster, runIds)).filter(
    ({ annotations }) => annotations[marks.starting] === undefined,
  );
  const found = await Promise.all(
    services.map(async (workload): Promise<readonly string[]> => {
      if (workload.spec.replicas > 0)
        return [`somebody scaled ${sayService(workload)} up to ${workload.spec.replicas}`];
      const pods = await listPods(cluster, workload);
      if (pods.length === 0) return [];
      const names = pods.slice(0, 3).map(({ name }) => name);
      return [`pods of ${sayService(workload)} run again: ${names.join(', ')}${pods.length > 3 ? ' …' : ''}`];
    }),
  );
  return found.flat();
}
