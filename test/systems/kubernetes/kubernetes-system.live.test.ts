import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
import { pathTo, type ScratchNamespace, type Service, scratchNamespace } from './scratch-namespace.ts';

let scratch: ScratchNamespace;
let system: System;
let web: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  web = await scratch.deploy('web');
  await scratch.ready(web);
});

afterEach(async () => {
  for (const what of ['s', 'bindings']) {
    await scratch.api.send({ method: 'DELETE', path: `${ofCluster}${what}/tas-bot-identity` });
  }
  await scratch.close();
});

const stop = 'kubernetes.stop-services';
const stopWeb = () => performAll(kindOf(system, stop), { services: [web], within: '60s' }, stepContext(), 10);

const ofCluster = '/apis/rbac.authorization.k8s.io/v1/clusterrole';

/** The cluster's identity is the only thing that lies outside of the bot's namespaces. */
async function grantIdentity(): Promise<void> {
  const metadata = { name: 'tas-bot-identity' };
  const rules = [{ apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] }];
  await scratch.make(`${ofCluster}s`, { metadata, rules });
  await scratch.make(`${ofCluster}bindings`, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tas-bot' }],
  });
}

/** What the least of bots may do, without the rights that are named `verb resource`. */
async function grant(rules: { namespace: string; rules: object[] }[]): Promise<void> {
  const api = '/apis/rbac.authorization.k8s.io/v1';
  for (const { namespace, rules: granted } of rules) {
    const metadata = { name: 'tas-bot' };
    await scratch.make(`${api}/namespaces/${namespace}/roles`, { metadata, rules: granted as never });
    await scratch.make(`${api}/namespaces/${namespace}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'tas-bot' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tas-bot' }],
    });
  }
}

const ofHome = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create', 'patch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'patch', 'delete'] },
];
const ofServices = (verbs: string[]) => [
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs },
  { apiGroups: [''], resources: ['pods', 'events'], verbs: ['list'] },
  { apiGroups: ['batch'], resources: ['cronjobs', 'jobs'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: ['get', 'list', 'patch'] },
];

it('is who kube-system is, over another connection too, and tells its version', async () => {
  const { metadata } = await scratch.read('/api/v1/namespaces/kube-system');
  expect(await system.identity()).toBe(metadata.uid);
  expect(await scratch.system().identity()).toBe(metadata.uid);
  expect(await system.checkHealth()).toMatchObject({ up: true, version: expect.stringMatching(/^v1\.\d+\.\d+/) });
  for (const kind of system.kinds) {
    expect(kind.name).toMatch(/^kubernetes\./);
    expect(kind.previewUndo === undefined).toBe(kind.undoBatch === undefined);
  }
});

it('refuses wrong credentials and an absent server in its words, and never shows the token', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tas-kubeconfig-'));
  try {
    const text = await readFile(liveEndpoints().kubernetes.kubeconfig, 'utf8');
    const secret = 'not-the-token-77';
    const write = async (name: string, content: string): Promise<string> => {
      await writeFile(join(folder, name), content);
      return join(folder, name);
    };
    const wrong = scratch.system({
      kubeconfig: await write('wrong', text.replaceAll(/"token":"[^"]+"/g, `"token":"${secret}"`)),
    });
    const absent = scratch.system({
      kubeconfig: await write('absent', text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1')),
    });
    const strange = scratch.system({ kubeconfig: await write('strange', '{}') });
    const stranger = scratch.system({ context: 'nobody' });
    const login = JSON.parse(text);
    login.users[0].user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: `/nowhere/${secret}` } };
    const helpless = scratch.system({ kubeconfig: await write('helpless', JSON.stringify(login)) });
    for (const [other, code] of [
      [wrong, 'wrong-password'],
      [absent, 'unreachable'],
      [strange, 'invalid-config'],
      [stranger, 'invalid-config'],
      [helpless, 'wrong-password'],
    ] as const) {
      const failure = await failureOf(() => other.identity());
      expect(failure.code).toBe(code);
      expect(JSON.stringify(failure)).not.toContain(secret);
      expect(await other.checkHealth()).toMatchObject({ up: false, version: null });
      expect(await other.preflight?.({ uses: [], bytes: 0 })).toMatchObject([
        { check: 'server-reachable', status: 'failed' },
      ]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('names verb, resource and namespace of every right that is missing, before and while it happens', async () => {
  const bot = scratch.system({ context: 'bot' });
  expect(await bot.preflight?.({ uses: [stop], bytes: 0 })).toMatchObject([
    { status: 'failed', title: expect.stringContaining('does not allow the bot to get namespaces') },
  ]);
  await grantIdentity();
  const nothing = await bot.preflight?.({ uses: [stop], bytes: 0 });
  expect(nothing).toMatchObject([{ check: 'cluster-rights', status: 'failed' }]);
  expect(nothing?.[0]?.title).toContain(`create configmaps in namespace ${scratch.home}`);
  const refused = await failureOf(() => performAll(kindOf(bot, stop), { services: [web] }, stepContext(), 10));
  expect(refused).toMatchObject({ code: 'missing-rights' });
  expect(refused.message).toContain(`get configmaps in namespace ${scratch.home}`);
  expect(refused.advice).toContain(`verb get, resource configmaps, namespace ${scratch.home}`);

  await grant([
    { namespace: scratch.home, rules: ofHome },
    { namespace: scratch.name, rules: ofServices(['get', 'list']) },
  ]);
  expect(await bot.preflight?.({ uses: ['kubernetes.await-rollout'], bytes: 0 })).toMatchObject([{ status: 'passed' }]);
  const reading = await bot.preflight?.({ uses: [stop], bytes: 0 });
  expect(reading).toMatchObject([
    {
      status: 'failed',
      count: 2,
      samples: ['deployments', 'statefulsets'].map((plural) => `patch ${plural}.apps in namespace ${scratch.name}`),
    },
  ]);
  const late = await failureOf(() =>
    performAll(kindOf(bot, stop), { services: [web] }, stepContext({ runId: 'run-2' }), 10),
  );
  expect(late.message).toContain(`does not allow the bot to patch deployments.apps in namespace ${scratch.name}`);
  expect((await scratch.read(pathTo(web))).spec.replicas).toBe(1);
});

it('stops, looks and starts again with no more rights than it asks for', async () => {
  await grant([
    { namespace: scratch.home, rules: ofHome },
    { namespace: scratch.name, rules: ofServices(['get', 'list', 'patch']) },
  ]);
  await grantIdentity();
  const bot = scratch.system({ context: 'bot' });
  expect(await bot.preflight?.({ uses: [stop, 'kubernetes.start-services'], bytes: 0 })).toMatchObject([
    { status: 'passed' },
  ]);
  await performAll(kindOf(bot, stop), { services: [web] }, stepContext(), 10);
  expect(await bot.standing?.(['run-1'])).toHaveLength(1);
  expect(await bot.intrusions?.(['run-1'])).toEqual([]);
  const undo = undoContext({ runId: 'run-1', stepId: 'data.step' });
  await undoAll(kindOf(bot, stop), { services: [web], within: '60s' }, undo);
  expect((await scratch.read(pathTo(web))).status.readyReplicas).toBe(1);
});

it('says where its home is missing', async () => {
  const lost = scratch.system({ home: 'nowhere-at-all' });
  const failure = await failureOf(() => performAll(kindOf(lost, stop), { services: [web] }, stepContext(), 10));
  expect(failure).toMatchObject({
    code: 'precondition-failed',
    message: expect.stringContaining('no namespace nowhere-at-all'),
  });
});

it('keeps the version of the data model, with the fence', async () => {
  expect(await system.dataModel?.read()).toBeNull();
  const version = { version: '2.0', runId: 'run-1', at: '2026-01-01T00:00:00Z' };
  await system.dataModel?.write(version, { environment: 'test', token: 3 });
  expect(await scratch.system().dataModel?.read()).toEqual(version);
  const late = await failureOf(async () => system.dataModel?.write(null, { environment: 'test', token: 2 }));
  expect(late.code).toBe('fenced');
  await system.dataModel?.write(null, { environment: 'test', token: 3 });
  expect(await system.dataModel?.read()).toBeNull();
});

it('writes its journal sealed, one ConfigMap a step, and nothing for steps that only read', async () => {
  await performAll(
    kindOf(system, 'kubernetes.await-rollout'),
    { services: [web] },
    stepContext({ stepId: 'read' }),
    10,
  );
  await stopWeb();
  const { items } = await scratch.read(`/api/v1/namespaces/${scratch.home}/configmaps?labelSelector=tas-bot%2Fjournal`);
  expect(items).toHaveLength(1);
  expect(items[0].metadata.annotations).toMatchObject({ 'tas-bot/run': 'run-1', 'tas-bot/step': 'data.step' });
  for (const body of Object.values<string>(items[0].binaryData)) {
    expect(Buffer.from(body, 'base64').toString('latin1')).not.toContain('replicas');
  }
});
