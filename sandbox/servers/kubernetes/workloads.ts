import type { JsonObject } from '../../../src/shared/json.ts';

/** An object of the platform, with the path under which its like are made. */
export interface PlatformObject {
  readonly path: string;
  readonly manifest: JsonObject & { readonly metadata: JsonObject & { readonly name: string } };
}

export const platformNamespaces = ['tas-shared', 'aether-be', 'aether'] as const;
/** The one node, which the fake kubelet plays. */
export const nodeName = 'sandbox';

const version = 'v1.4.0';

interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly image: string;
  readonly port: number;
  readonly replicas?: number;
}

/** Namespaces, the node and all workloads, in the order in which they can be made. */
export function platformObjects(): readonly PlatformObject[] {
  return [
    ...platformNamespaces.map((name) => ({ path: '/api/v1/namespaces', manifest: { metadata: { name } } })),
    { path: '/api/v1/nodes', manifest: node() },
    ...stateful.map((service) => workload('StatefulSet', service)),
    ...deployed.map((service) => workload('Deployment', service)),
    autoscaler(),
    nightly(),
    configMap('aether-be', 'feature-flags', { 'flags.json': JSON.stringify(flags, null, 2) }),
    configMap('aether-be', 'maintenance', { enabled: 'false', message: '' }),
  ];
}

const stateful: readonly Service[] = [
  { namespace: 'tas-shared', name: 'postgres-shared', image: 'postgres:15.8', port: 5432 },
  { namespace: 'tas-shared', name: 'kafka-shared', image: 'kafka:4.1.2', port: 9092 },
  { namespace: 'aether-be', name: 'neo4j', image: 'neo4j:5.26.0', port: 7687 },
];

const deployed: readonly Service[] = [
  { namespace: 'tas-shared', name: 'redis-shared', image: 'redis:7.4.1', port: 6379 },
  { namespace: 'tas-shared', name: 'keycloak-shared', image: 'keycloak:26.0.7', port: 8080 },
  { namespace: 'tas-shared', name: 'minio-shared', image: 'minio:v1.9.0', port: 9000 },
  { namespace: 'aether-be', name: 'aether-backend', image: `tas/aether-backend:${version}`, port: 8080, replicas: 2 },
  { namespace: 'aether-be', name: 'audimodal', image: `tas/audimodal:${version}`, port: 8080 },
  { namespace: 'aether-be', name: 'deeplake-api', image: `tas/deeplake-api:${version}`, port: 8000 },
  { namespace: 'aether', name: 'aether-frontend', image: `tas/aether-frontend:${version}`, port: 80, replicas: 2 },
];

const flags = {
  $schema: 'https://flagd.dev/schema/v0/flags.json',
  flags: {
    'embeddings-3-large': { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
    'new-space-view': { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
  },
};

function node(): PlatformObject['manifest'] {
  return {
    metadata: {
      name: nodeName,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux' },
    },
  };
}

function workload(kind: 'Deployment' | 'StatefulSet', service: Service): PlatformObject {
  const { namespace, name, image, port, replicas = 1 } = service;
  const labels = { 'app.kubernetes.io/name': name };
  const containers = [{ name, image, ports: [{ containerPort: port }] }];
  const spec = {
    replicas,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers } },
    ...(kind === 'StatefulSet' ? { serviceName: name } : {}),
  };
  const plural = kind === 'Deployment' ? 'deployments' : 'statefulsets';
  return { path: `/apis/apps/v1/namespaces/${namespace}/${plural}`, manifest: { metadata: { name, labels }, spec } };
}

function autoscaler(): PlatformObject {
  const name = 'aether-backend';
  return {
    path: '/apis/autoscaling/v2/namespaces/aether-be/horizontalpodautoscalers',
    manifest: {
      metadata: { name },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        minReplicas: 2,
        maxReplicas: 6,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    },
  };
}

function nightly(): PlatformObject {
  const containers = [{ name: 'cleanup', image: `tas/aether-backend:${version}`, args: ['cleanup'] }];
  return {
    path: '/apis/batch/v1/namespaces/aether-be/cronjobs',
    manifest: {
      metadata: { name: 'nightly-cleanup' },
      spec: {
        schedule: '15 3 * * *',
        jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers } } } },
      },
    },
  };
}

function configMap(namespace: string, name: string, data: Readonly<Record<string, string>>): PlatformObject {
  return { path: `/api/v1/namespaces/${namespace}/configmaps`, manifest: { metadata: { name }, data } };
}
