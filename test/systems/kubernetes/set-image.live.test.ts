import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { type Loose, pathTo, type ScratchNamespace, type Service, scratchNamespace } from './scratch-namespace.ts';

const name = 'kubernetes.set-image';
const step = { runId: 'run-1', stepId: 'services.image' };
let scratch: ScratchNamespace;
let system: System;
let web: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  web = await scratch.deploy('web', { replicas: 2 });
  await scratch.ready(web);
});

afterEach(() => scratch.close());

const to = (image: string, over = {}) => ({ ...web, container: 'web', image, within: '60s', ...over });
const perform = (input: object, over = {}) =>
  performAll(kindOf(system, name), input, stepContext({ ...step, ...over }), 10);
const undo = (input: object, over = {}) =>
  undoAll(kindOf(system, name), input, undoContext(step, { stepId: step.stepId, ...over }));
const preview = (input: object) =>
  kindOf(system, name).preview(kindOf(system, name).input.parse(input), stepContext({ runId: 'preview' }));
const imageOf = async (service = web): Promise<string> =>
  (await scratch.read(pathTo(service))).spec.template.spec.containers[0].image;
const podImages = async (service = web): Promise<string[]> => {
  const { items } = await scratch.read(`/api/v1/namespaces/${scratch.name}/pods?labelSelector=app%3D${service.name}`);
  return items.map((pod: Loose) => pod.spec.containers[0].image);
};

it('sets an image, waits until all pods run it, and goes back to the previous one', async () => {
  expect(await preview(to('web:v2'))).toMatchObject({
    count: 1,
    undoClass: 'reversible',
    findings: [],
    samples: [
      {
        before: { 'spec.template.spec.containers.name=web.image': 'web:v1.4.0' },
        after: { 'spec.template.spec.containers.name=web.image': 'web:v2' },
      },
    ],
  });
  expect(await imageOf()).toBe('web:v1.4.0');
  expect(sumDone(await perform(to('web:v2')))).toBe(1);
  expect(await podImages()).toEqual(['web:v2', 'web:v2']);
  expect(await kindOf(system, name).verify?.(to('web:v2'), stepContext(step))).toMatchObject([{ status: 'passed' }]);
  expect(await preview(to('web:v2'))).toMatchObject({ count: 0 });
  expect(sumDone(await perform(to('web:v2'), { runId: 'again' }))).toBe(0);

  const undoing = undoContext(step, { stepId: step.stepId });
  expect(await kindOf(system, name).previewUndo?.(to('web:v2'), undoing)).toMatchObject({ count: 1 });
  expect(sumDone(await undo(to('web:v2')))).toBe(1);
  expect(await podImages()).toEqual(['web:v1.4.0', 'web:v1.4.0']);
  const redo = undoContext({ runId: undoing.runId, stepId: step.stepId }, { stepId: step.stepId });
  expect(sumDone(await undoAll(kindOf(system, name), to('web:v2'), redo))).toBe(1);
  expect(await podImages()).toEqual(['web:v2', 'web:v2']);
});

it('keeps an image that somebody set since', async () => {
  await perform(to('web:v2'));
  const containers = [{ name: 'web', image: 'web:hotfix' }];
  await scratch.patch(pathTo(web), { spec: { template: { spec: { containers } } } });
  const seen = await kindOf(system, name).previewUndo?.(to('web:v2'), undoContext(step, { stepId: step.stepId }));
  expect(seen).toMatchObject({ count: 0, kept: { counts: { 'changed-since': 1 } } });
  expect(await undo(to('web:v2'))).toEqual(expect.arrayContaining([expect.objectContaining({ done: 0, kept: 1 })]));
  expect(await imageOf()).toBe('web:hotfix');
  expect(await system.journal?.conflicts('undo-of-run-1', step.stepId, 5)).toMatchObject([
    { key: 'web', reason: 'changed-since', base: 'web:v1.4.0', ours: 'web:v2', theirs: 'web:hotfix' },
  ]);
});

it.each(['Deployment', 'StatefulSet'] as const)(
  'stops at an image that never becomes ready with the reasons, and undo brings a %s back',
  async (kind) => {
    const service = await scratch.deploy('app', { kind, replicas: 2 });
    await scratch.ready(service);
    const bad = { ...service, container: 'app', image: 'app:bad', within: '3s' };
    const failure = await failureOf(() => perform(bad));
    expect(failure).toMatchObject({
      code: 'timed-out',
      retryable: true,
      advice: expect.stringContaining('Undo is safe'),
    });
    expect(failure.message).toMatch(/pod app-\S+ is Pending \(app: ImagePullBackOff\)/);
    expect(failure.message).toContain('Failed: Failed to pull image: not found');
    expect(sumDone(await undo({ ...bad, within: '60s' }))).toBe(1);
    expect(await podImages(service)).toEqual(['app:v1.4.0', 'app:v1.4.0']);
    await scratch.ready(service);
  },
);

it('waits for nothing at 0 replicas, or where it is told not to', async () => {
  await scratch.patch(pathTo(web), { spec: { replicas: 0 } });
  expect((await preview(to('web:bad'))).locks).toEqual([expect.stringContaining('stands still')]);
  await perform(to('web:bad'));
  await scratch.patch(pathTo(web), { spec: { replicas: 1 } });
  expect(await perform(to('web:v3', { waitReady: false }), { stepId: 'other' })).toEqual([{ cursor: null, done: 1 }]);
});

it('answers a call after a crash from the journal, and finishes one that was killed between intent and deed', async () => {
  const kind = kindOf(system, name);
  const input = kind.input.parse(to('web:v2'));
  const batch = { index: 0, cursor: null, done: 0, size: 10 };
  const first = await kind.performBatch(input, batch, stepContext(step));
  const maps = `/api/v1/namespaces/${scratch.home}/configmaps`;
  const journal = (await scratch.read(`${maps}?labelSelector=tas-bot%2Fjournal`)).items[0];
  expect(JSON.stringify(journal)).not.toContain('web:v1');
  await scratch.patch(`${maps}/${journal.metadata.name}`, { binaryData: { '000000000.done': null } });
  await scratch.patch(pathTo(web), {
    spec: { template: { spec: { containers: [{ name: 'web', image: 'web:v1.4.0' }] } } },
  });
  expect(await kindOf(scratch.system(), name).performBatch(input, batch, stepContext(step))).toEqual(first);
  expect(await imageOf()).toBe('web:v2');
  expect(sumDone(await undo(to('web:v2')))).toBe(1);
  expect(await imageOf()).toBe('web:v1.4.0');
});

it('finds missing containers, paused rollouts and images that are none beforehand', async () => {
  expect((await preview(to('web:v2', { container: 'sidecar' }))).findings).toEqual([
    expect.objectContaining({ check: 'container-there', status: 'failed', advice: expect.stringContaining('web') }),
  ]);
  expect((await preview(to('web:v2', { name: 'wep' }))).findings).toEqual([
    expect.objectContaining({ check: 'service-there', status: 'failed', advice: 'Is web meant?' }),
  ]);
  await scratch.patch(pathTo(web), { spec: { paused: true } });
  expect((await preview(to('web:v2'))).findings).toEqual([
    expect.objectContaining({ check: 'rollout-paused', status: 'failed' }),
  ]);
  for (const image of ['', 'a b', '$(id)', 'web:v1\nx']) {
    expect(kindOf(system, name).input.safeParse(to(image)).success).toBe(false);
  }
});

describe('kubernetes.await-rollout', () => {
  const awaited = 'kubernetes.await-rollout';

  it('comes back when all are ready, and says what it waits for and why it gave up when they are not', async () => {
    const kind = kindOf(system, awaited);
    const input = kind.input.parse({ services: [web], within: '2s' });
    expect(await kind.preview(input, stepContext(step))).toMatchObject({ count: 0, findings: [] });
    expect(await performAll(kind, { services: [web] }, stepContext(step), 10)).toEqual([{ cursor: null, done: 0 }]);
    const stuck = await scratch.deploy('stuck', { image: 'stuck:bad' });
    const both = kind.input.parse({ services: [web, stuck], within: '60s' });
    const seen = await kind.performBatch(both, { index: 0, cursor: null, done: 0, size: 10 }, stepContext(step));
    expect(seen.note).toContain('1 of 2 services are ready');
    const failure = await failureOf(() => performAll(kind, { services: [stuck], within: '1s' }, stepContext(step), 10));
    expect(failure).toMatchObject({ code: 'timed-out', message: expect.stringContaining('ImagePullBackOff') });
  });

  it('says that pods find no node while it is drained', async () => {
    const node = '/api/v1/nodes/sandbox';
    await scratch.patch(node, { spec: { unschedulable: true } });
    try {
      const late = await scratch.deploy('late');
      const failure = await failureOf(() =>
        performAll(kindOf(system, awaited), { services: [late], within: '3s' }, stepContext(step), 10),
      );
      expect(failure.message).toContain('Pending (Unschedulable)');
      expect(failure.message).toMatch(/FailedScheduling: 0\/1 nodes are available: 1 node\(s\) were unschedulable/);
    } finally {
      await scratch.patch(node, { spec: { unschedulable: null } });
    }
  });
});
