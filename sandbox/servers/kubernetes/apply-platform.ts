import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { connectTransport, type Transport } from '../../../src/systems/kubernetes/transport.ts';
import { nodeName, platformNamespaces, platformObjects } from './workloads.ts';

/** What somebody may have made or changed in the platform's namespaces. */
const emptied = [
  'apis/apps/v1/deployments',
  'apis/apps/v1/statefulsets',
  'apis/apps/v1/daemonsets',
  'apis/apps/v1/replicasets',
  'apis/batch/v1/cronjobs',
  'apis/batch/v1/jobs',
  'apis/autoscaling/v2/horizontalpodautoscalers',
  'apis/networking.k8s.io/v1/ingresses',
  'apis/coordination.k8s.io/v1/leases',
  'apis/rbac.authorization.k8s.io/v1/rolebindings',
  'apis/rbac.authorization.k8s.io/v1/roles',
  'apis/policy/v1/poddisruptionbudgets',
  'api/v1/resourcequotas',
  'api/v1/configmaps',
  'api/v1/secrets',
  'api/v1/services',
  'api/v1/pods',
  'api/v1/events',
];
const ofTheCluster = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/** With the kubeconfig's current context. */
export async function withApi<T>(kubeconfig: string, work: (api: Transport) => Promise<T>): Promise<T> {
  const api = connectTransport({ name: 'sandbox', kubeconfig });
  try {
    return await work(api);
  } finally {
    api.close();
  }
}

const nodeSchema = z.object({
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() }).nullish(),
});

/** Makes what is missing; null when all is there and the node is ready, else why not yet. */
export async function applyPlatform(api: Transport): Promise<string | null> {
  for (const { path, manifest } of platformObjects()) {
    const found = await api.send({ method: 'GET', path: `${path}/${manifest.metadata.name}` });
    if (found.code === 200) continue;
    const made = await api.send({ method: 'POST', path, body: manifest });
    if (made.code >= 300 && made.code !== 409) return `${manifest.metadata.name} cannot be made: ${made.code}`;
  }
  const node = await api.send({ method: 'GET', path: `/api/v1/nodes/${nodeName}` });
  const conditions = node.code === 200 ? (nodeSchema.parse(JSON.parse(node.body)).status?.conditions ?? []) : [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ? null : 'the node is not ready';
}

const listSchema = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

/** Removes everything that the platform and others put into the cluster, then makes the platform's own anew. */
export async function resetPlatform(api: Transport): Promise<void> {
  const left = await api.send({ method: 'GET', path: '/api/v1/namespaces' });
  const names = listSchema.parse(JSON.parse(left.body)).items.map(({ metadata }) => metadata.name);
  const foreign = names.filter(
    (name) => !ofTheCluster.includes(name) && !platformNamespaces.some((own) => own === name),
  );
  for (const name of foreign) await api.send({ method: 'DELETE', path: `/api/v1/namespaces/${name}` });
  await api.send({ method: 'DELETE', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions' });
  await api.send({ method: 'DELETE', path: `/api/v1/nodes/${nodeName}` });
  await api.send({ method: 'POST', path: '/api/v1/nodes', body: nodeManifest() });
  for (const namespace of platformNamespaces) {
    for (const path of emptied) {
      const body = { propagationPolicy: 'Background', gracePeriodSeconds: 0 };
      await api.send({ method: 'DELETE', path: inside(path, namespace), body });
    }
  }
  const end = Date.now() + 30_000;
  while (Date.now() < end && (await holdsPods(api))) await pause(100);
  while (Date.now() < end && (await applyPlatform(api)) !== null) await pause(100);
}

function nodeManifest() {
  const node = platformObjects().find(({ path }) => path === '/api/v1/nodes');
  if (!node) throw new Error('the platform has no node');
  return node.manifest;
}

async function holdsPods(api: Transport): Promise<boolean> {
  for (const namespace of platformNamespaces) {
    const { body } = await api.send({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` });
    if (listSchema.parse(JSON.parse(body)).items.length > 0) return true;
  }
  return false;
}

/** `apis/apps/v1/deployments` of one namespace. */
function inside(path: string, namespace: string): string {
  const at = path.lastIndexOf('/');
  return `/${path.slice(0, at)}/namespaces/${namespace}${path.slice(at)}`;
}
