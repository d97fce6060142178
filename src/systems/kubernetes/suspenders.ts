import { z } from 'zod';
import type { Finding } from '../finding.ts';
import type { FieldsChange } from './change.ts';
import type { Cluster } from './client.ts';
import { annotationPath, type Fields, readField } from './fields.ts';
import { isSame } from './find-services.ts';
import type { Manifest } from './manifest.ts';
import { type ObjectRef, type ResourceName, sayObject } from './resources.ts';
import { isAllowed, sayRight } from './rights.ts';
import { marks } from './standing.ts';
import { listWorkloads, type ServiceRef, sayService, type Workload } from './workload.ts';

/** Something that would bring a stopped service back, or write beside it. */
export interface Suspender {
  readonly object: ObjectRef;
  readonly manifest: Manifest;
  /** The fields that suspend it, and what stands there now. */
  readonly suspended: Fields;
  readonly running: Fields;
  /** True for services that it brings back. */
  covers(service: Workload): boolean;
}

/** Autoscalers, ScaledObjects, CronJobs and what GitOps keeps the services by, each once. */
export async function findSuspenders(
  cluster: Cluster,
  services: readonly Workload[],
): Promise<{ readonly found: readonly Suspender[]; readonly findings: readonly Finding[] }> {
  const groups = await readGroups(cluster);
  const namespaces = [...new Set(services.map(({ namespace }) => namespace))];
  const lists = await Promise.all(
    namespaces.map(async (namespace) => [
      ...(await autoscalers(cluster, namespace)),
      ...(groups.has('keda.sh') ? await scaledObjects(cluster, namespace) : []),
      ...(await cronJobs(cluster, namespace)),
    ]),
  );
  const gitOps = await findGitOps(cluster, services, groups);
  const all = [...lists.flat(), ...gitOps.found].filter(({ covers }) => services.some((service) => covers(service)));
  return { found: all, findings: [...gitOps.findings, ...(await findMissingRights(cluster, all))] };
}

/** Null where it is suspended already, by whomever. */
export function suspend({ object, manifest, suspended, running }: Suspender, runId: string): FieldsChange | null {
  const same = Object.keys(suspended).every((path) => readField(manifest, path) === suspended[path]);
  if (same) return null;
  const [by, memory] = [annotationPath(marks.suspendedBy), annotationPath(marks.suspended)];
  return {
    did: 'fields',
    object,
    uid: manifest.metadata.uid,
    absent: Object.fromEntries(Object.entries(running).filter(([path]) => suspended[path] !== null)),
    before: { ...running, [by]: readField(manifest, by), [memory]: readField(manifest, memory) },
    after: { ...suspended, [by]: runId, [memory]: JSON.stringify(running) },
    aside: true,
  };
}

/** Null where it was not suspended by the bot. */
export function resume({ object, manifest, suspended }: Suspender): FieldsChange | null {
  const text = manifest.metadata.annotations?.[marks.suspended];
  const memory = z.record(z.string(), z.json()).safeParse(parseJson(text ?? ''));
  if (!memory.success) return null;
  // An annotation can be written by others: nothing goes back but what suspending sets.
  const own = Object.fromEntries(Object.entries(memory.data).filter(([path]) => path in suspended));
  const paths = [annotationPath(marks.suspendedBy), annotationPath(marks.suspended)];
  const here = (path: string) => [path, readField(manifest, path)] as const;
  return {
    did: 'fields',
    object,
    uid: manifest.metadata.uid,
    before: Object.fromEntries([...Object.keys(own), ...paths].map(here)),
    after: { ...own, ...Object.fromEntries(paths.map((path) => [path, null])) },
    aside: true,
  };
}

/** Services of the same namespaces that are stopped by the bot and stay so: what covers them stays suspended. */
export async function othersStopped(cluster: Cluster, services: readonly ServiceRef[]): Promise<readonly Workload[]> {
  const lists = await Promise.all(cluster.namespaces.map((namespace) => listWorkloads(cluster, namespace)));
  const isOne = (workload: Workload): boolean => services.some((service) => isSame(service, workload));
  return lists.flat().filter((workload) => workload.annotations[marks.stoppedBy] !== undefined && !isOne(workload));
}

async function autoscalers(cluster: Cluster, namespace: string): Promise<Suspender[]> {
  const list = await cluster.list('HorizontalPodAutoscaler', namespace);
  // Those that belong to a ScaledObject are made and kept by that.
  const own = list.filter(({ metadata }) => !metadata.ownerReferences?.some(({ kind }) => kind === 'ScaledObject'));
  return own.map((manifest) => {
    const paths = ['/spec/behavior/scaleUp/selectPolicy', '/spec/behavior/scaleDown/selectPolicy'];
    return {
      object: { kind: 'HorizontalPodAutoscaler', namespace, name: manifest.metadata.name },
      manifest,
      suspended: Object.fromEntries(paths.map((path) => [path, 'Disabled'])),
      // `Max` is what the server takes where nothing is said, and what it puts there by itself.
      running: Object.fromEntries(paths.map((path) => [path, readField(manifest, path) ?? 'Max'])),
      covers: targets(manifest, namespace),
    };
  });
}

async function scaledObjects(cluster: Cluster, namespace: string): Promise<Suspender[]> {
  const path = annotationPath('autoscaling.keda.sh/paused');
  return (await cluster.list('ScaledObject', namespace)).map((manifest) => ({
    object: { kind: 'ScaledObject', namespace, name: manifest.metadata.name },
    manifest,
    suspended: { [path]: 'true' },
    running: { [path]: readField(manifest, path) },
    covers: targets(manifest, namespace),
  }));
}

function targets(manifest: Manifest, namespace: string): Suspender['covers'] {
  const kind = readField(manifest, '/spec/scaleTargetRef/kind') ?? 'Deployment';
  const name = readField(manifest, '/spec/scaleTargetRef/name');
  return (service) => service.namespace === namespace && service.kind === kind && service.name === name;
}

/** They do not start a service, but write as it does: those of its namespace go along with it. */
async function cronJobs(cluster: Cluster, namespace: string): Promise<Suspender[]> {
  return (await cluster.list('CronJob', namespace)).map((manifest) => ({
    object: { kind: 'CronJob', namespace, name: manifest.metadata.name },
    manifest,
    suspended: { '/spec/suspend': true },
    running: { '/spec/suspend': readField(manifest, '/spec/suspend') ?? false },
    covers: (service) => service.namespace === namespace,
  }));
}

const argoTracking = 'argocd.argoproj.io/tracking-id';
const flux = [
  { kind: 'Kustomization', group: 'kustomize.toolkit.fluxcd.io' },
  { kind: 'HelmRelease', group: 'helm.toolkit.fluxcd.io' },
] as const;

/** The Argo CD applications and Flux objects that keep these services as their repository says. */
async function findGitOps(
  cluster: Cluster,
  services: readonly Workload[],
  groups: ReadonlySet<string>,
): Promise<{ readonly found: readonly Suspender[]; readonly findings: readonly Finding[] }> {
  const found = new Map<string, Suspender>();
  const findings: Finding[] = [];
  const keep = (suspender: Suspender): unknown => found.set(sayObject(suspender.object), suspender);
  const applications = groups.has('argoproj.io') ? await listApplications(cluster) : [];
  for (const service of services) {
    const name = applicationOf(service);
    const application = applications.find(({ metadata }) => metadata.name === name);
    if (application) keep(argoSuspender(application));
    else if (groups.has('argoproj.io') && service.annotations[argoTracking] !== undefined)
      findings.push(outOfReach(service, `the Argo CD application ${name}`));
    for (const { kind, group } of flux) {
      const labels = service.manifest.metadata.labels ?? {};
      const [owner, namespace] = [labels[`${group}/name`], labels[`${group}/namespace`]];
      if (!groups.has(group) || owner === undefined || namespace === undefined) continue;
      const suspender = await fluxSuspender(cluster, { kind, namespace, name: owner }, group);
      if (suspender) keep(suspender);
      else findings.push(outOfReach(service, `the Flux ${kind} ${namespace}/${owner}`));
    }
  }
  return { found: [...found.values()], findings };
}

async function listApplications(cluster: Cluster): Promise<readonly Manifest[]> {
  const namespaces = [...new Set([...cluster.namespaces, cluster.home])];
  return (await Promise.all(namespaces.map((namespace) => cluster.list('Application', namespace)))).flat();
}

/** By Argo's own annotation (`app:group/kind:namespace/name`), else by the label that it uses by default. */
function applicationOf({ annotations, manifest }: Workload): string | undefined {
  const tracked = annotations[argoTracking]?.split(':')[0]?.split('_').at(-1);
  return (
    tracked ??
    manifest.metadata.labels?.['argocd.argoproj.io/instance'] ??
    manifest.metadata.labels?.['app.kubernetes.io/instance']
  );
}

function argoSuspender(manifest: Manifest): Suspender {
  const { name, namespace } = manifest.metadata;
  const path = '/spec/syncPolicy/automated';
  return {
    object: { kind: 'Application', namespace, name },
    manifest,
    suspended: { [path]: null },
    running: { [path]: readField(manifest, path) },
    covers: (service) => applicationOf(service) === name,
  };
}

async function fluxSuspender(cluster: Cluster, object: ObjectRef, group: string): Promise<Suspender | null> {
  if (object.namespace !== cluster.home && !cluster.namespaces.includes(object.namespace)) return null;
  const manifest = await cluster.get(object);
  return (
    manifest && {
      object,
      manifest,
      suspended: { '/spec/suspend': true },
      running: { '/spec/suspend': readField(manifest, '/spec/suspend') ?? false },
      covers: ({ manifest: { metadata } }) =>
        metadata.labels?.[`${group}/name`] === object.name &&
        metadata.labels[`${group}/namespace`] === object.namespace,
    }
  );
}

function outOfReach(service: Workload, keeper: string): Finding {
  return {
    check: 'gitops-out-of-reach',
    title: `${sayService(service)} is kept by ${keeper}, which the bot cannot suspend`,
    status: 'failed',
    count: 1,
    samples: [sayService(service)],
    advice: `It would start the service again. Add its namespace to the configuration, with the right to change it.`,
  };
}

/** Resources that not every cluster has are no part of what a preflight asks for. */
async function findMissingRights(cluster: Cluster, suspenders: readonly Suspender[]): Promise<Finding[]> {
  const places = new Map<string, { readonly kind: ResourceName; readonly namespace: string }>();
  for (const { object } of suspenders) places.set(`${object.kind} ${object.namespace}`, object);
  const denied: string[] = [];
  for (const { kind, namespace } of places.values()) {
    const right = { verb: 'patch' as const, kind };
    if (!(await isAllowed(cluster, right, namespace))) denied.push(sayRight(right, namespace));
  }
  if (denied.length === 0) return [];
  return [
    {
      check: 'suspending-rights',
      title: `The bot may not suspend what would bring services back: ${denied.slice(0, 3).join('; ')}`,
      status: 'failed',
      count: denied.length,
      samples: denied.slice(0, 5),
      advice: 'Grant it with a Role and RoleBinding in each of these namespaces.',
    },
  ];
}

const groupsSchema = z.object({ groups: z.array(z.object({ name: z.string() })) });

/** API groups that the server knows: what is not installed need not be asked for. */
async function readGroups(cluster: Cluster): Promise<ReadonlySet<string>> {
  const asked = { verb: 'get', resource: 'apis', namespace: null };
  const body = await cluster.request(asked, { method: 'GET', path: '/apis' });
  return new Set(groupsSchema.parse(JSON.parse(body ?? '')).groups.map(({ name }) => name));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
