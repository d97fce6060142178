import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { kubernetesServer } from '../../../sandbox/servers/kubernetes/kubernetes-server.ts';
import type { Json } from '../../../src/shared/json.ts';
import { createSeal } from '../../../src/shared/sealed.ts';
import { connectCluster } from '../../../src/systems/kubernetes/client.ts';
import { kindMakers } from '../../../src/systems/kubernetes/kinds/index.ts';
import { createKubernetesSystem } from '../../../src/systems/kubernetes/kubernetes-system.ts';
import type { KindSetting } from '../../../src/systems/kubernetes/part.ts';
import { rightsOfEveryRun } from '../../../src/systems/kubernetes/preflight.ts';
import { resources } from '../../../src/systems/kubernetes/resources.ts';
import { connectTransport, type Transport } from '../../../src/systems/kubernetes/transport.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
import type { Loose } from './scratch-namespace.ts';

const file = join(import.meta.dirname, '../../../deploy/rbac.yaml');
const objects: Loose[] = parseAllDocuments(await readFile(file, 'utf8')).map((document) => document.toJS());
const endpoints = liveEndpoints();
const { kubeconfig } = endpoints.kubernetes;
const namespaces = ['tas-shared', 'aether-be', 'aether'];
const home = 'tas-bot';
const maintenance = { namespace: 'aether-be', configMap: 'maintenance' };
const flags = { namespace: 'aether-be', configMap: 'feature-flags', key: 'flags.json' };

const plurals: Readonly<Record<string, string>> = {
  Namespace: '/api/v1/namespaces',
  ServiceAccount: '/api/v1/namespaces/{}/serviceaccounts',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings',
};
const pathOf = ({ kind, metadata }: Loose): string => plurals[kind]?.replace('{}', metadata.namespace) ?? '';

let admin: Transport;
let folder: string;
let system: System;

const send = async (method: string, path: string, body?: Json): Promise<Loose> => {
  const { code, body: text } = await admin.send({ method, path, ...(body === undefined ? {} : { body }) });
  if (code >= 300) throw new Error(`${method} ${path}: ${code} ${text}`);
  return JSON.parse(text);
};

/** A kubeconfig with a token that the server gives for the bot's service account. */
async function kubeconfigOfBot(): Promise<string> {
  const path = `/api/v1/namespaces/${home}/serviceaccounts/tas-bot/token`;
  const { status } = await send('POST', path, { spec: { expirationSeconds: 3600 } });
  const config: Loose = parse(await readFile(kubeconfig, 'utf8'));
  const made = join(folder, 'kubeconfig');
  const context = { cluster: config.contexts[0].context.cluster, user: 'tas-bot' };
  await writeFile(
    made,
    stringify({
      ...config,
      users: [{ name: 'tas-bot', user: { token: status.token } }],
      contexts: [{ name: 'tas-bot', context }],
      'current-context': 'tas-bot',
    }),
    { mode: 0o600 },
  );
  return made;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tas-rbac-'));
  admin = connectTransport({ name: 'test', kubeconfig });
  await kubernetesServer.wipe(endpoints);
  for (const object of objects) {
    const { code, body } = await admin.send({ method: 'POST', path: pathOf(object), body: object });
    if (code >= 300 && code !== 409) throw new Error(body);
  }
  system = createKubernetesSystem({
    name: 'cluster',
    kubeconfig: await kubeconfigOfBot(),
    namespaces,
    home,
    maintenance,
    flags,
    seal: createSeal(Buffer.alloc(32, 7)),
    logger: pino({ level: 'silent' }),
  });
}, 120_000);

afterAll(async () => {
  await system.close();
  for (const object of objects.toReversed()) {
    await admin.send({ method: 'DELETE', path: `${pathOf(object)}/${object.metadata.name}` });
  }
  await kubernetesServer.wipe(endpoints);
  admin.close();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

/** `verb plural.group`, of the home or of the platform's namespaces. */
function declared(where: 'home' | 'platform'): string[] {
  const ingress = { namespace: 'aether', name: 'web', annotations: {} };
  const setting = { cluster: { home, namespaces }, maintenance: { ...maintenance, ingress }, flags };
  const rights = kindMakers.flatMap((make) => make(setting as unknown as KindSetting).rights);
  const wanted = [...rightsOfEveryRun, ...rights].filter((right) => (right.home === true) === (where === 'home'));
  return unique(
    wanted.map(({ verb, kind, sub }) => {
      const { group, plural } = resources[kind];
      return `${verb} ${plural}${sub ? `/${sub}` : ''}.${group}`;
    }),
  );
}

function granted(role: string): string[] {
  const rules: Loose[] = objects.find(({ kind, metadata }) => /Role$/.test(kind) && metadata.name === role).rules;
  return unique(
    rules.flatMap(({ apiGroups, resources: names, verbs }) =>
      apiGroups.flatMap((group: string) =>
        names.flatMap((name: string) => verbs.map((verb: string) => `${verb} ${name}.${group}`)),
      ),
    ),
  );
}

const unique = (values: string[]): string[] => [...new Set(values)].sort();
const service = (namespace: string, name: string) => ({ namespace, kind: 'Deployment', name });
const backend = service('aether-be', 'aether-backend');

it('grants what the steps declare that they need, and nothing else', () => {
  expect(granted('tas-bot-platform')).toEqual(declared('platform'));
  expect(granted('tas-bot-home')).toEqual(declared('home'));
  expect(granted('tas-bot-identity')).toEqual(['get namespaces.']);
});

it('is enough for every step kind, by the answer of the server', async () => {
  const uses = system.kinds.map(({ name }) => name);
  expect(await system.preflight?.({ uses, bytes: 0 })).toMatchObject([{ check: 'cluster-rights', status: 'passed' }]);
  expect(await system.checkHealth()).toMatchObject({ up: true });
});

it.each([
  ['stop-services', { services: [backend], within: '60s' }],
  ['set-image', { ...backend, container: 'aether-backend', image: 'tas/aether-backend:v1.4.1', within: '60s' }],
  [
    'set-image',
    { ...service('aether-be', 'neo4j'), kind: 'StatefulSet', container: 'neo4j', image: 'neo4j:5.26.1', within: '60s' },
  ],
  ['set-maintenance', { on: true, message: 'Back soon.' }],
  ['set-flag', { flag: 'new-space-view', state: 'on' }],
  ['run-job', { namespace: 'aether-be', name: 'smoke', from: { cronJob: 'nightly-cleanup' }, within: '60s' }],
])('lets the bot carry %s out, and undo it: %j', async (name, input) => {
  const kind = kindOf(system, `kubernetes.${name}`);
  const step = { runId: `run-${name}-${JSON.stringify(input).length}`, stepId: 'services.step' };
  const parsed = kind.input.parse(input);
  expect((await kind.preview(parsed, stepContext(step))).findings.filter(({ status }) => status === 'failed')).toEqual(
    [],
  );
  await performAll(kind, input, stepContext(step), 10);
  if (name === 'stop-services') {
    const stopped = 'aether-be/aether-backend is stopped (2 replicas are remembered)';
    expect(await system.standing?.([step.runId])).toContainEqual({ what: stopped, closes: true });
  }
  await undoAll(kind, input, undoContext(step, { runId: `undo-${step.runId}`, stepId: step.stepId }));
  expect(await system.standing?.([step.runId])).toEqual([]);
});

it('lets the bot start services, read logs and events, and mark who holds the environment', async () => {
  const step = { runId: 'run-life', stepId: 'before.stop' };
  await performAll(
    kindOf(system, 'kubernetes.stop-services'),
    { services: [backend], within: '60s' },
    stepContext(step),
    10,
  );
  const start = { services: [backend], within: '60s' };
  await performAll(
    kindOf(system, 'kubernetes.start-services'),
    start,
    stepContext({ ...step, stepId: 'after.start' }),
    10,
  );
  for (const name of ['await-rollout', 'check-logs', 'check-events']) {
    const kind = kindOf(system, `kubernetes.${name}`);
    await performAll(kind, { services: [backend] }, stepContext({ ...step, stepId: name }), 10);
    await kind.verify?.(kind.input.parse({ services: [backend] }), stepContext({ ...step, stepId: name }));
  }
  expect(await system.holder?.hold({ environment: 'rbac', runId: 'run-life', seconds: 60 })).toBe(true);
  expect(await system.holder?.release('rbac', 'run-life')).toBe(true);
  await system.dataModel?.write({ version: '1.0', runId: 'run-life', at: '2026-11-22T10:00:00Z' }, stepContext().fence);
  expect(await system.dataModel?.read()).toMatchObject({ version: '1.0' });
});

describe('what is not granted', () => {
  const asBot = async () =>
    connectCluster({
      name: 'cluster',
      kubeconfig: await kubeconfigOfBot(),
      namespaces: [...namespaces, 'default'],
      home,
    });

  it.each([
    [
      'create',
      'configmaps',
      () => asBot().then((c) => c.create('ConfigMap', 'aether-be', { metadata: { name: 'x' } })),
    ],
    ['delete', 'deployments.apps', () => asBot().then((c) => c.remove({ ...backend, kind: 'Deployment' }, 'u'))],
    ['list', 'deployments.apps', () => asBot().then((c) => c.list('Deployment', 'default'))],
    [
      'delete',
      'configmaps',
      () => asBot().then((c) => c.remove({ kind: 'ConfigMap', namespace: 'aether-be', name: 'maintenance' }, 'u')),
    ],
  ])('fails by name: %s %s', async (verb, resource, work) => {
    await expect(work()).rejects.toMatchObject({
      code: 'missing-rights',
      message: expect.stringMatching(new RegExp(`${verb} ${resource.replace('.', '\\.')}.*(aether-be|default)`)),
    });
  });

  it('is every secret, and every right', async () => {
    const bot = connectTransport({ name: 'bot', kubeconfig: await kubeconfigOfBot() });
    for (const path of [
      '/api/v1/namespaces/aether-be/secrets',
      '/api/v1/secrets',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      '/api/v1/namespaces/aether-be/pods/x/exec',
    ]) {
      expect((await bot.send({ method: 'GET', path })).code).toBe(403);
    }
    bot.close();
  });
});
