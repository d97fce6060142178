import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RecoveryLine } from '../../../src/systems/recovery.ts';
import type { System } from '../../../src/systems/system.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { pathTo, type ScratchNamespace, type Service, scratchNamespace } from './scratch-namespace.ts';

const run = promisify(execFile);
const runId = "run-1'\n; x";
let scratch: ScratchNamespace;
let system: System;
let front: Service;
let store: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  const namespace = scratch.name;
  system = scratch.system({
    maintenance: {
      namespace,
      configMap: 'maintenance',
      ingress: { namespace, name: 'web', annotations: { 'nginx/redirect': 'https://down.example' } },
    },
    flags: { namespace, configMap: 'flags', key: 'flags.json' },
  });
  await scratch.make(`/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name: 'maintenance' },
    data: { enabled: 'false', message: '', theirs: 'stays' },
  });
  await scratch.make(`/api/v1/namespaces/${namespace}/configmaps`, {
    metadata: { name: 'flags' },
    data: { 'flags.json': '{"flags":{"spaces":{"state":"ENABLED"}}}' },
  });
  await scratch.make(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, {
    metadata: { name: 'web', annotations: { other: 'x' } },
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  });
  front = await scratch.deploy('front', { replicas: 2 });
  store = await scratch.deploy('store', { kind: 'StatefulSet' });
  await scratch.ready(front, store);
});

afterEach(() => scratch.close());

const stopped = () => ({ services: [front, store].map((service) => ({ ...service })), within: '60s' });
const perform = (use: string, input: object, stepId: string) =>
  performAll(kindOf(system, use), input, stepContext({ runId, stepId }), 10);
const lines = (): readonly RecoveryLine[] =>
  system.recovery?.({
    environment: 'sandbox',
    runId,
    runIds: [runId],
    steps: [
      { use: 'kubernetes.set-maintenance', input: { on: true } },
      { use: 'kubernetes.stop-services', input: stopped() },
      { use: 'kubernetes.set-flag', input: { flag: 'spaces', state: 'on' } },
    ],
  }) ?? [];
/** What a person's shell answers. */
async function typed({ command }: RecoveryLine): Promise<string> {
  return (await run('bash', ['-c', command ?? 'false'])).stdout;
}
const find = (part: string): RecoveryLine => {
  const found = lines().find(({ what, command }) => what.includes(part) || command?.includes(part));
  if (!found) throw new Error(`no line says ${part}`);
  return found;
};
const workload = (service: Service) => scratch.read(pathTo(service));

it('tells by kubectl alone who holds the environment, what was done and what is stopped', async () => {
  await system.advanceFence?.({ environment: 'sandbox', token: 7 });
  await system.holder?.hold({ environment: 'sandbox', runId: 'run-1', seconds: 60, note: 'front is stopped' });
  await perform('kubernetes.stop-services', stopped(), 'before.stop');
  const held = await typed(find('who holds the environment'));
  expect(held).toContain('holderIdentity: run-1');
  expect(held).toContain('front is stopped');
  expect(await typed(find('the fence'))).toBe('7');
  expect(await typed(find('changed something'))).toContain('before.stop');
  expect(await typed(find('which services are stopped'))).toMatch(/Deployment +front +0 +2 +run-1/);
  expect(await typed(find('how the feature flags stand'))).toContain('"spaces"');
});

it('brings services back with the replicas that they had, in the reverse order, and leaves no mark', async () => {
  await perform('kubernetes.stop-services', stopped(), 'before.stop');
  const starts = lines().filter(({ command }) => command?.includes(' scale '));
  expect(starts.map(({ what }) => /bring (\S+) back/.exec(what)?.[1])).toEqual([
    `${scratch.name}/store`,
    `${scratch.name}/front`,
  ]);
  for (const start of starts) await typed(start);
  for (const [service, replicas] of [
    [front, 2],
    [store, 1],
  ] as const) {
    const { spec, metadata } = await workload(service);
    expect(spec.replicas).toBe(replicas);
    expect(Object.keys(metadata.annotations ?? {}).filter((name) => name.startsWith('tas-bot/'))).toEqual([]);
  }
  expect(await system.standing?.([runId])).toEqual([]);
});

it('leaves a service alone that remembers nothing: it is not scaled to a guess', async () => {
  const [start] = lines().filter(({ command }) => command?.includes('deployment/front'));
  await expect(typed(start as RecoveryLine)).rejects.toThrow();
  expect((await workload(front)).spec.replicas).toBe(2);
});

it('turns maintenance mode off, and lets users in again', async () => {
  await perform('kubernetes.set-maintenance', { on: true, message: 'Back at noon' }, 'before.on');
  expect(await system.standing?.([runId])).toMatchObject([{ closes: false }]);
  expect(JSON.parse(await typed(find('what the ingress had before')))).toEqual({ 'nginx/redirect': null });
  for (const line of lines().filter(({ topic, changes }) => topic === 'maintenance' && changes)) await typed(line);
  expect(await system.standing?.([runId])).toEqual([]);
  const namespace = `namespaces/${scratch.name}`;
  const { data } = await scratch.read(`/api/v1/${namespace}/configmaps/maintenance`);
  expect(data).toEqual({ enabled: 'false', message: '', theirs: 'stays' });
  const ingress = await scratch.read(`/apis/networking.k8s.io/v1/${namespace}/ingresses/web`);
  expect(ingress.metadata.annotations).toEqual({ other: 'x' });
});
