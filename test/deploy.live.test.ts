import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { kubernetesServer } from '../sandbox/servers/kubernetes/kubernetes-server.ts';
import { connectTransport } from '../src/systems/kubernetes/transport.ts';
import { liveEndpoints } from './live-stores.ts';
import { type Loose, until } from './systems/kubernetes/scratch-namespace.ts';

const folder = resolve(import.meta.dirname, '../deploy');
const endpoints = liveEndpoints();
const admin = connectTransport({ name: 'test', kubeconfig: endpoints.kubernetes.kubeconfig });
const documents = async (name: string): Promise<Loose[]> =>
  parseAllDocuments(await readFile(join(folder, name), 'utf8')).map((document) => document.toJS());

const collections: Readonly<Record<string, string>> = {
  StatefulSet: '/apis/apps/v1/namespaces/tas-bot/statefulsets',
  Service: '/api/v1/namespaces/tas-bot/services',
  Namespace: '/api/v1/namespaces',
};

/** The server makes no disks by itself; a cluster that does gives the claim one. */
const volumes = '/api/v1/persistentvolumes';
const disk = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: 'tas-bot-backups' },
  spec: { capacity: { storage: '50Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/nowhere' } },
};

async function send(method: string, path: string, body?: Loose): Promise<Loose> {
  const { code, body: text } = await admin.send({ method, path, ...(body === undefined ? {} : { body }) });
  if (code >= 300 && code !== 409) throw new Error(`${method} ${path}: ${code} ${text}`);
  return JSON.parse(text);
}

beforeAll(async () => {
  await kubernetesServer.wipe(endpoints);
  const [namespace] = await documents('rbac.yaml');
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'tas-bot', namespace: 'tas-bot' } };
  await send('POST', volumes, disk);
  await send('POST', collections.Namespace ?? '', namespace);
  await send('POST', '/api/v1/namespaces/tas-bot/serviceaccounts', account);
}, 60_000);

afterAll(async () => {
  await send('DELETE', '/api/v1/namespaces/tas-bot/persistentvolumeclaims/backups-tas-bot-0');
  await send('DELETE', `${volumes}/${disk.metadata.name}`);
  await kubernetesServer.wipe(endpoints);
}, 60_000);

it('is taken by a real API server that refuses unknown fields, and its pod comes up', async () => {
  for (const object of await documents('bot.yaml')) {
    await send('POST', `${collections[object.kind]}?fieldValidation=Strict`, object);
  }
  const path = `${collections.StatefulSet}/tas-bot`;
  await until(async () => (await send('GET', path)).status.readyReplicas === 1);
});

it('names every manifest in its kustomization', async () => {
  const { resources } = parse(await readFile(join(folder, 'kustomization.yaml'), 'utf8'));
  const manifests = (await readdir(folder)).filter((name) => /\.yaml$/.test(name) && name !== 'kustomization.yaml');
  expect([...resources].sort()).toEqual(manifests.sort());
});

it('writes where the image lets it write, and runs as the user of the image', async () => {
  const dockerfile = await readFile(resolve(folder, '../Dockerfile'), 'utf8');
  const [set] = await documents('bot.yaml');
  const [bot] = set?.spec.template.spec.containers ?? [];
  expect(dockerfile).toMatch(/^VOLUME \/backups$/m);
  expect(bot.volumeMounts.map(({ mountPath }: Loose) => mountPath)).toContain('/backups');
  // The images of Node make its user `node` with the id 1000.
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(set?.spec.template.spec.securityContext.runAsUser).toBe(1000);
});
