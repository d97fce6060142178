/** A sort of object that the API server keeps. */
export interface Resource {
  /** An empty string for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** As manifests name it. */
  readonly kind: string;
  /** False for those that lie in no namespace. Absent = true. */
  readonly namespaced?: false;
}

const of = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind,
});

/** Every resource that the bot reads or writes, by the name under which journals know it: never renamed. */
export const resources = {
  Deployment: of('apps', 'v1', 'deployments', 'Deployment'),
  StatefulSet: of('apps', 'v1', 'statefulsets', 'StatefulSet'),
  Pod: of('', 'v1', 'pods', 'Pod'),
  Event: of('', 'v1', 'events', 'Event'),
  ConfigMap: of('', 'v1', 'configmaps', 'ConfigMap'),
  Lease: of('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  Job: of('batch', 'v1', 'jobs', 'Job'),
  CronJob: of('batch', 'v1', 'cronjobs', 'CronJob'),
  Ingress: of('networking.k8s.io', 'v1', 'ingresses', 'Ingress'),
  HorizontalPodAutoscaler: of('autoscaling', 'v2', 'horizontalpodautoscalers', 'HorizontalPodAutoscaler'),
  ScaledObject: of('keda.sh', 'v1alpha1', 'scaledobjects', 'ScaledObject'),
  Application: of('argoproj.io', 'v1alpha1', 'applications', 'Application'),
  Kustomization: of('kustomize.toolkit.fluxcd.io', 'v1', 'kustomizations', 'Kustomization'),
  HelmRelease: of('helm.toolkit.fluxcd.io', 'v2', 'helmreleases', 'HelmRelease'),
  Namespace: { ...of('', 'v1', 'namespaces', 'Namespace'), namespaced: false },
} as const satisfies { readonly [name: string]: Resource };

export type ResourceName = keyof typeof resources;

/** One object of the cluster, by name. */
export interface ObjectRef {
  readonly kind: ResourceName;
  readonly namespace: string;
  readonly name: string;
}

/** `Deployment aether-be/aether-backend`. */
export function sayObject({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace}/${name}`;
}

/** The path of a resource, or of one object of it, at the API server. Namespace null = of all namespaces, or of none. */
export function pathOf(resource: Resource, namespace: string | null, name?: string, sub?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const inside =
    namespace !== null && resource.namespaced !== false ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${inside}/${resource.plural}${object}${sub ? `/${sub}` : ''}`;
}
