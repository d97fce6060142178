import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Endpoints } from '../../../sandbox/servers/endpoints.ts';
import { bringUp, emptyStores, readStatus, takeDown } from '../../../sandbox/servers/sandbox.ts';
import { readState } from '../../../sandbox/servers/state.ts';
import type { Json } from '../../../src/shared/json.ts';
import { connectTransport, type Transport } from '../../../src/systems/kubernetes/transport.ts';

const execute = promisify(execFile);
const jobs = '/apis/batch/v1/namespaces/aether-be/jobs';
const backend = '/apis/apps/v1/namespaces/aether-be/deployments/aether-backend';

// biome-ignore lint/suspicious/noExplicitAny: any field of any manifest
type Loose = any;

describe('Kubernetes of the sandbox', () => {
  let parent = '';
  let folder = '';
  let endpoints: Endpoints;
  let api: Transport;

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'sandbox-test-'));
    folder = join(parent, 'sandbox');
    await up();
  }, 900_000);

  afterAll(async () => {
    api?.close();
    await takeDown(folder);
    await rm(parent, { recursive: true });
  }, 120_000);

  async function up(): Promise<void> {
    endpoints = await bringUp({ folder, fast: true, only: ['kubernetes'] });
    api = connectTransport({ name: 'test', kubeconfig: endpoints.kubernetes.kubeconfig });
  }

  async function send(method: string, path: string, body?: Json): Promise<Loose> {
    const type = method === 'PATCH' ? { type: 'application/merge-patch+json' } : {};
    const { code, body: text } = await api.send({ method, path, ...(body === undefined ? {} : { body }), ...type });
    return code < 300 ? JSON.parse(text) : { code };
  }

  async function until(holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error('it did not come about in 30 s');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const ready = () => until(async () => (await send('GET', backend)).status?.readyReplicas === 2);
  const processes = async (): Promise<string[]> => {
    const { stdout } = await execute('ps', ['-eww', '-o', 'args='], { maxBuffer: 10_000_000 });
    return stdout.split('\n').filter((line) => line.includes(folder));
  };

  it('has the workloads of the platform, ready, and one process that the sandbox knows', async () => {
    await ready();
    const { items } = await send('GET', '/apis/apps/v1/deployments');
    expect(items.map((item: Loose) => `${item.metadata.namespace}/${item.metadata.name}`).sort()).toEqual([
      'aether-be/aether-backend',
      'aether-be/audimodal',
      'aether-be/deeplake-api',
      'aether/aether-frontend',
      'tas-shared/keycloak-shared',
      'tas-shared/minio-shared',
      'tas-shared/redis-shared',
    ]);
    const { items: stateful } = await send('GET', '/apis/apps/v1/statefulsets');
    expect(stateful.map((item: Loose) => item.metadata.name).sort()).toEqual([
      'kafka-shared',
      'neo4j',
      'postgres-shared',
    ]);
    expect((await readStatus(folder))?.servers.kubernetes.running).toBe(true);
  });

  it('lets the user tas-bot do nothing until a role is bound', async () => {
    const bot = connectTransport({ name: 'bot', kubeconfig: endpoints.kubernetes.kubeconfig, context: 'bot' });
    expect((await bot.send({ method: 'GET', path: backend })).code).toBe(403);
    bot.close();
  });

  it.each([
    ['v1', 'succeeded'],
    ['fails', 'failed'],
    ['hangs', 'active'],
  ])('ends a Job by the tag of its image: %s', async (tag, state) => {
    const containers = [{ name: 'job', image: `tests:${tag}` }];
    const spec = { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers } } };
    await send('POST', jobs, { metadata: { name: `job-${tag}` }, spec });
    await until(async () => (await send('GET', `${jobs}/job-${tag}`)).status?.[state] === 1);
  });

  it('shows the logs that lie in the file of the container', async () => {
    const line = `${new Date().toISOString()} stdout F {"level":"error","msg":"a line"}\n`;
    await writeFile(join(folder, 'kubernetes/container-logs/aether-backend.log'), line);
    const { items } = await send('GET', '/api/v1/namespaces/aether-be/pods');
    const pod = items.find((item: Loose) => item.metadata.name.startsWith('aether-backend-')).metadata.name;
    const { body } = await api.send({ method: 'GET', path: `/api/v1/namespaces/aether-be/pods/${pod}/log` });
    expect(body).toBe('{"level":"error","msg":"a line"}\n');
  });

  it('is put back as it was: what was changed, removed and added', async () => {
    const before = (await send('GET', '/api/v1/namespaces/kube-system')).metadata.uid;
    await send('PATCH', backend, { spec: { replicas: 0 }, metadata: { annotations: { 'tas-bot/replicas': '2' } } });
    await send('DELETE', '/apis/apps/v1/namespaces/aether/deployments/aether-frontend');
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'somebody' } });
    await send('PATCH', '/api/v1/nodes/sandbox', { spec: { unschedulable: true } });
    await emptyStores(folder);
    await ready();
    expect(JSON.stringify(await send('GET', backend))).not.toContain('tas-bot/replicas');
    expect(await send('GET', '/apis/apps/v1/namespaces/aether/deployments/aether-frontend')).toMatchObject({
      spec: { replicas: 2 },
    });
    expect((await send('GET', `${jobs}/job-hangs`)).code).toBe(404);
    await until(async () => (await send('GET', '/api/v1/namespaces/somebody')).code === 404);
    expect((await send('GET', '/api/v1/namespaces/kube-system')).metadata.uid).toBe(before);
  }, 60_000);

  it('leaves no server behind when its process is killed, and comes up again with what it held', async () => {
    await send('PATCH', backend, { metadata: { labels: { seen: 'before' } } });
    const [pid] = (await readFile(join(folder, 'run/kubernetes.pid'), 'utf8')).split('\n');
    expect((await processes()).length).toBeGreaterThan(4);
    process.kill(Number(pid), 'SIGKILL');
    await until(async () => (await processes()).length === 0);
    api.close();
    await up();
    expect((await send('GET', backend)).metadata.labels.seen).toBe('before');
    await ready();
  }, 120_000);

  it('ends in order and leaves nothing', async () => {
    const state = await readState(folder);
    expect(Object.keys(state?.ports ?? {})).toEqual(expect.arrayContaining(['kubernetes.etcd', 'kubernetes.kubelet']));
    api.close();
    await takeDown(folder);
    expect(await processes()).toEqual([]);
  }, 60_000);
});
