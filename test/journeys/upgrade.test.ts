import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppsV1Api, CoordinationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { createClient } from '@redis/client';
import { Kafka, logLevel } from 'kafkajs';
import { startBot } from '../../sandbox/bot-process.ts';
import { differences, openStores, type Picture, type Stores } from '../../sandbox/demo/stores.ts';
import { seedVectors } from '../../sandbox/seed/vectors.ts';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { kubernetesServer } from '../../sandbox/servers/kubernetes/kubernetes-server.ts';
import { holdPlatformSessions } from '../../sandbox/servers/platform/sessions.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { liveEndpoints } from '../live-stores.ts';
import { deeplakePython } from '../systems/deeplake/deeplake-python.ts';
import { openVectorApp, type VectorApp } from '../systems/deeplake/vector-app.ts';
import { approvedRun, posted } from './approved-run.ts';
import { type Journey, openJourney } from './open-journey.ts';
import { untilOver } from './until-over.ts';

const namespaces = ['tas-shared', 'aether-be', 'aether'];

/** Replicas, ready ones, images and what the bot has left on each service; flags and maintenance mode. */
async function pictureOfCluster({ kubernetes }: Endpoints): Promise<Picture> {
  const config = new KubeConfig();
  config.loadFromFile(kubernetes.kubeconfig);
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const picture = new Map<string, Record<string, string>>();
  for (const namespace of namespaces) {
    const deployments = (await apps.listNamespacedDeployment({ namespace })).items;
    const sets = (await apps.listNamespacedStatefulSet({ namespace })).items;
    for (const { metadata, spec, status } of [...deployments, ...sets]) {
      const marks = Object.keys(metadata?.annotations ?? {}).filter((name) => name.startsWith('tas-bot/'));
      picture.set(`${namespace}/${metadata?.name}`, {
        replicas: String(spec?.replicas),
        ready: String(status?.readyReplicas ?? 0),
        images: (spec?.template.spec?.containers ?? []).map(({ image }) => image).join(),
        marks: marks.sort().join(),
      });
    }
  }
  for (const name of ['feature-flags', 'maintenance']) {
    const { data } = await core.readNamespacedConfigMap({ namespace: 'aether-be', name });
    picture.set(`aether-be/${name}`, { ...data });
  }
  return picture;
}

/** The run waits until nobody else uses the stores: so do we only between runs. */
async function lookIntoStores<T>({ endpoints }: Journey, look: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = openStores(endpoints);
  try {
    return await look(stores);
  } finally {
    await stores.close();
  }
}

/** A topic whose events a group has read, and a document in the cache; nothing of an earlier bot, whose fence would be greater. */
async function useEventsAndCache({ kafka, redis }: Endpoints): Promise<void> {
  const client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const ofBots = (await admin.listTopics()).filter((topic) => topic.startsWith('__tas'));
  await admin.deleteTopics({ topics: ofBots }).catch(() => undefined);
  await admin.createTopics({ topics: [{ topic: 'document.events', numPartitions: 1 }], waitForLeaders: true });
  await admin.deleteTopics({ topics: ['document.versions'] }).catch(() => undefined);
  await admin.setOffsets({
    groupId: 'audimodal',
    topic: 'document.events',
    partitions: [{ partition: 0, offset: '0' }],
  });
  await admin.disconnect();
  const cache = await createClient({
    socket: { host: redis.host, port: redis.port },
    password: redis.password,
  }).connect();
  await cache.flushAll();
  await cache.set('document:1', 'as it was');
  await cache.set('session:1', 'stays');
  cache.destroy();
}

async function keysOfCache({ redis }: Endpoints): Promise<string[]> {
  const cache = await createClient({
    socket: { host: redis.host, port: redis.port },
    password: redis.password,
  }).connect();
  const keys = (await cache.keys('*')).filter((key) => !key.startsWith('tas:'));
  cache.destroy();
  return keys.sort();
}

/** Vectors and fields of every dataset, and the topics. */
async function pictureBeside({ kafka }: Endpoints, app: VectorApp, datasets: readonly string[]): Promise<unknown> {
  const admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith('__')).sort();
  const groups = await admin.fetchOffsets({ groupId: 'audimodal', topics: ['document.events'] });
  await admin.disconnect();
  const vectors: Record<string, unknown> = {};
  for (const name of datasets) vectors[name] = { ...(await app.read(name)), columns: await app.columns(name) };
  return { topics, groups, vectors };
}

/** The run goes through though the bot is killed at every seventh event. */
async function carryOut(
  journey: Journey,
  command: string,
  meanwhile: (runId: string) => Promise<void> = async () => undefined,
): Promise<string> {
  const { runId } = await approvedRun(journey, command);
  await meanwhile(runId);
  let seen = 0;
  const kills = await untilOver(journey, runId, () => {
    seen += 1;
    return seen % 7 === 0;
  });
  const { rows } = await journey.botPool.query('select status, failure, pause from tas.run where id = $1', [runId]);
  expect(rows[0]).toEqual({ status: 'done', failure: null, pause: null });
  expect(kills).toBeGreaterThan(2);
  return runId;
}

/** The bot dies in mid-maintenance; another process of it tells the channel who holds what, and the cluster says so too. */
async function noticedWhenGone(journey: Journey, runId: string): Promise<void> {
  const { session, botPool, endpoints, folder } = journey;
  const stopped = `select from tas.run_step where run_id = $1 and step_id = 'before.stop-consumers' and state = 'done'`;
  while ((await botPool.query(stopped, [runId])).rowCount === 0)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const from = session.slack.messages('tas-platform').length;
  await session.bot().kill('SIGKILL');
  const configPath = join(folder, 'another.yaml');
  const config = await readFile(session.configPath, 'utf8');
  await writeFile(configPath, config.replace('executor: sandbox-0', 'executor: sandbox-1'), { mode: 0o600 });
  const port = Number(/^ {2}port: (\d+)$/m.exec(config)?.[1]);
  const another = await startBot({ configPath, logPath: session.logPath, port });
  try {
    const told = renderMessage(await posted(journey, /Not heard of/, from));
    expect(told).toContain(runId);
    expect(told).toContain('It holds sandbox.');
    expect(told).toMatch(/aether-backend is stopped/);
    expect(told).toMatch(/maintenance mode/i);
    expect(told).toMatch(new RegExp(`cluster: ${runId} is marked as holding sandbox, last renewed .*, expired`));
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromFile(endpoints.kubernetes.kubeconfig);
    const leases = (await kubeconfig.makeApiClient(CoordinationV1Api).listLeaseForAllNamespaces()).items;
    const lease = leases.find(({ metadata }) => metadata?.name === 'tas-sandbox-holder');
    expect(lease?.spec?.holderIdentity).toBe(runId);
  } finally {
    await another.kill('SIGTERM');
    await session.restart();
  }
}

describe('the upgrade of the whole platform', () => {
  it('goes through over every system though the bot is killed on the way, and its undo brings everything back', async () => {
    const python = await deeplakePython();
    if (python === null) throw new Error('there is no Python with DeepLake');
    const endpoints = liveEndpoints();
    await kubernetesServer.wipe(endpoints);
    await rm(endpoints.vectors.root, { recursive: true, force: true });
    await seedVectors({ root: endpoints.vectors.root, python, endpoint: null, kind: 'demo', tenants: 3 });
    await useEventsAndCache(endpoints);
    const app = openVectorApp(python, endpoints.vectors.root);
    const tenants = await readdir(join(endpoints.vectors.root, 'tenants'));
    const datasets = tenants.map((tenant) => `tenants/${tenant}/default`);
    expect(datasets).toHaveLength(3);
    await holdPlatformSessions(endpoints, true);
    const journey = await openJourney('demo', 'http', { deeplakePython: python });
    try {
      const before = {
        stores: await lookIntoStores(journey, (stores) => stores.picture()),
        cluster: await pictureOfCluster(endpoints),
        beside: await pictureBeside(endpoints, app, datasets),
      };
      const runId = await carryOut(journey, '/tas migrate platform-2-0 env:sandbox reason:"a journey"', (id) =>
        noticedWhenGone(journey, id),
      );
      const cluster = await pictureOfCluster(endpoints);
      expect(cluster.get('aether-be/aether-backend')).toEqual({
        replicas: '2',
        ready: '2',
        images: 'tas/aether-backend:v2.0.0',
        marks: '',
      });
      expect(cluster.get('aether/aether-frontend')?.images).toBe('tas/aether-frontend:v2.0.0');
      expect(cluster.get('aether-be/maintenance')).toMatchObject({ enabled: 'false' });
      expect(cluster.get('aether-be/feature-flags')?.['flags.json']).toMatch(/"defaultVariant": "on"/);
      const [left] = await lookIntoStores(journey, (stores) =>
        stores.cypher('MATCH (d:Document) WHERE d.content_version IS NULL RETURN count(*) AS documents'),
      );
      expect(Number(left?.documents)).toBe(0);
      expect(await keysOfCache(endpoints)).toEqual(['session:1']);
      for (const name of datasets) expect(await app.columns(name)).toContain('content_version');
      await carryOut(journey, `/tas rollback ${runId} way:undo`);
      expect(differences(before.stores, await lookIntoStores(journey, (stores) => stores.picture()))).toEqual([]);
      expect(Object.fromEntries(await pictureOfCluster(endpoints))).toEqual(Object.fromEntries(before.cluster));
      expect(await pictureBeside(endpoints, app, datasets)).toEqual(before.beside);
    } finally {
      await journey.close();
      await app.close();
      await holdPlatformSessions(endpoints, false);
    }
  }, 1_500_000);
});
