import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import {
  type Loose,
  pathTo,
  type ScratchNamespace,
  type Service,
  scratchNamespace,
  until,
} from './scratch-namespace.ts';

const stop = 'kubernetes.stop-services';
const start = 'kubernetes.start-services';
const stopping = { runId: 'run-1', stepId: 'services.stop' };
const starting = { runId: 'run-1', stepId: 'services.start' };
let scratch: ScratchNamespace;
let system: System;
let front: Service;
let back: Service;
let store: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  front = await scratch.deploy('front', { replicas: 2 });
  back = await scratch.deploy('back', { replicas: 3 });
  store = await scratch.deploy('store', { kind: 'StatefulSet' });
  await scratch.ready(front, back, store);
});

afterEach(() => scratch.close());

const input = (...services: readonly Service[]) => ({ services, within: '60s' });
const perform = (name: string, what: object, over = {}) =>
  performAll(kindOf(system, name), what, stepContext(over), 10);
const undo = (name: string, what: object, undoes: typeof stopping, over = {}) =>
  undoAll(kindOf(system, name), what, undoContext(undoes, { stepId: undoes.stepId, ...over }));
const preview = (name: string, what: object) =>
  kindOf(system, name).preview(kindOf(system, name).input.parse(what), stepContext({ runId: 'preview' }));
const replicasOf = async (service: Service): Promise<number> => (await scratch.read(pathTo(service))).spec.replicas;
const marksOf = async (service: Service): Promise<object> => {
  const all = Object.entries<string>((await scratch.read(pathTo(service))).metadata.annotations ?? {});
  return Object.fromEntries(all.filter(([name]) => name.startsWith('tas-bot/')));
};
const scale = (service: Service, replicas: number) => scratch.patch(pathTo(service), { spec: { replicas } });
const podsOf = async (service: Service): Promise<Loose[]> =>
  (await scratch.read(`/api/v1/namespaces/${scratch.name}/pods?labelSelector=app%3D${service.name}`)).items;
const stopThem = () => perform(stop, input(front, back, store), stopping);

it('stops in order, remembers how many there were, starts in order with as many, and leaves no mark', async () => {
  expect(await preview(stop, input(front, back, store))).toMatchObject({
    count: 3,
    exact: true,
    undoClass: 'reversible',
    locks: expect.arrayContaining([
      `${scratch.name}/back is down until it is started again (3 replicas are remembered)`,
    ]),
    samples: expect.arrayContaining([
      expect.objectContaining({ before: { 'spec.replicas': 2 }, after: { 'spec.replicas': 0 } }),
    ]),
    findings: [],
  });
  expect(await marksOf(front)).toEqual({});
  expect(sumDone(await stopThem())).toBe(3);
  for (const service of [front, back, store]) {
    expect(await replicasOf(service)).toBe(0);
    expect(await podsOf(service)).toEqual([]);
  }
  expect(await marksOf(back)).toEqual({ 'tas-bot/replicas': '3', 'tas-bot/stopped-by': 'run-1' });
  expect(await system.standing?.(['run-1'])).toEqual(
    ['front is stopped (2 replicas are', 'back is stopped (3 replicas are', 'store is stopped (1 replica is']
      .map((text) => ({
        what: `${scratch.name}/${text} remembered)`,
        closes: true,
      }))
      .sort((a, b) => order(a.what) - order(b.what)),
  );
  expect(await system.intrusions?.(['run-1'])).toEqual([]);
  expect(await system.standing?.(['run-2'])).toEqual([]);

  const kind = kindOf(system, start);
  const first = await kind.performBatch(
    kind.input.parse(input(store, back, front)),
    { index: 0, cursor: null, done: 0, size: 10 },
    stepContext(starting),
  );
  expect(first).toMatchObject({ done: 0, cursor: { part: 1 } });
  expect((await system.standing?.(['run-1']))?.map(({ closes }) => closes)).toEqual([false, false, false]);
  expect(sumDone(await perform(start, input(store, back, front), starting))).toBe(3);
  expect(await Promise.all([front, back, store].map(replicasOf))).toEqual([2, 3, 1]);
  for (const service of [front, back, store]) expect(await marksOf(service)).toEqual({});
  expect(await system.standing?.(['run-1'])).toEqual([]);
  const born = await Promise.all(
    [store, back, front].map(async (service) => (await podsOf(service)).map((pod) => pod.metadata.creationTimestamp)),
  );
  expect(born.flat()).toEqual([...born.flat()].sort());
});

const order = (text: string): number => ['back', 'front', 'store'].findIndex((name) => text.includes(`/${name} `));

it('is undone: everything runs again; the undo of the undo stops it again, with the memory', async () => {
  await stopThem();
  const kind = kindOf(system, stop);
  const undoing = undoContext(stopping, { stepId: stopping.stepId });
  expect(await kind.previewUndo?.(input(front, back, store), undoing)).toMatchObject({
    count: 3,
    kept: { counts: {} },
  });
  expect(sumDone(await undo(stop, input(front, back, store), stopping))).toBe(3);
  expect(await Promise.all([front, back, store].map(replicasOf))).toEqual([2, 3, 1]);
  expect(await marksOf(back)).toEqual({});
  await scratch.ready(front, back, store);

  const undone = { runId: undoing.runId, stepId: stopping.stepId };
  expect(sumDone(await undo(stop, input(front, back, store), undone))).toBe(3);
  expect(await Promise.all([front, back, store].map(replicasOf))).toEqual([0, 0, 0]);
  expect(await marksOf(back)).toEqual({ 'tas-bot/replicas': '3', 'tas-bot/stopped-by': 'run-1' });
});

it('goes the whole way back after the start too: start undone, then stop undone', async () => {
  await perform(stop, input(front, back), stopping);
  await perform(start, input(back, front), starting);
  expect(sumDone(await undo(start, input(back, front), starting))).toBe(2);
  expect(await Promise.all([front, back].map(replicasOf))).toEqual([0, 0]);
  expect(await marksOf(front)).toEqual({ 'tas-bot/replicas': '2', 'tas-bot/stopped-by': 'run-1' });
  expect(sumDone(await undo(stop, input(front, back), stopping, { runId: 'undo-2' }))).toBe(2);
  expect(await Promise.all([front, back].map(replicasOf))).toEqual([2, 3]);
  expect(await marksOf(front)).toEqual({});
});

it('answers a batch that is called again as it did, whatever was killed in between', async () => {
  const kind = kindOf(system, stop);
  const parsed = kind.input.parse(input(front));
  const context = stepContext(stopping);
  const batch = { index: 1, cursor: { part: 1, waiting: false, waitedMs: 0 }, done: 0, size: 10 };
  const first = await kind.performBatch(parsed, batch, context);
  expect(first).toEqual({ cursor: { part: 1, waiting: true, waitedMs: 0 }, done: 1 });
  const other = scratch.system();
  expect(await kindOf(other, stop).performBatch(parsed, batch, context)).toEqual(first);
  expect(await marksOf(front)).toEqual({ 'tas-bot/replicas': '2', 'tas-bot/stopped-by': 'run-1' });

  // Killed after the intent and before the deed, and after the deed and before the outcome: the entry is taken away.
  for (const deed of [() => scale(front, 2), async () => undefined]) {
    const maps = await scratch.read(`/api/v1/namespaces/${scratch.home}/configmaps?labelSelector=tas-bot%2Fjournal`);
    await scratch.patch(`/api/v1/namespaces/${scratch.home}/configmaps/${maps.items[0].metadata.name}`, {
      binaryData: { '000000001.done': null },
    });
    await deed();
    expect(await kindOf(scratch.system(), stop).performBatch(parsed, batch, context)).toEqual(first);
    expect(await replicasOf(front)).toBe(0);
    expect(await marksOf(front)).toEqual({ 'tas-bot/replicas': '2', 'tas-bot/stopped-by': 'run-1' });
  }
});

it('does a part once when two processes carry it out at the same time', async () => {
  const batch = { index: 1, cursor: { part: 1, waiting: false, waitedMs: 0 }, done: 0, size: 10 };
  const systems = [system, scratch.system(), scratch.system()];
  const results = await Promise.all(
    systems.map((one) =>
      kindOf(one, stop).performBatch(kindOf(one, stop).input.parse(input(back)), batch, stepContext(stopping)),
    ),
  );
  expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
  expect(await marksOf(back)).toEqual({ 'tas-bot/replicas': '3', 'tas-bot/stopped-by': 'run-1' });
});

it('never remembers 0 and never overwrites what was remembered', async () => {
  await scale(front, 0);
  await scratch.patch(pathTo(back), { metadata: { annotations: { 'tas-bot/replicas': '5' } } });
  await until(async () => (await podsOf(front)).length === 0);
  const seen = await preview(stop, input(front, back));
  expect(seen).toMatchObject({ count: 1 });
  expect(seen.findings.map(({ check, status }) => [check, status])).toEqual([
    ['stopped-already', 'warning'],
    ['replicas-remembered', 'warning'],
  ]);
  await perform(stop, input(front, back), stopping);
  expect(await marksOf(front)).toEqual({});
  expect(await marksOf(back)).toEqual({ 'tas-bot/replicas': '5', 'tas-bot/stopped-by': 'run-1' });

  const refused = await preview(start, input(back, front));
  expect(refused.findings).toEqual([expect.objectContaining({ check: 'replicas-unknown', status: 'failed' })]);
  const failure = await failureOf(() => perform(start, input(back, front), starting));
  expect(failure).toMatchObject({ code: 'precondition-failed', advice: expect.stringContaining('replicas:') });
  expect(await replicasOf(back)).toBe(0);
  expect(
    sumDone(await perform(start, { services: [back, { ...front, replicas: 4 }] }, { ...starting, stepId: 'again' })),
  ).toBe(2);
  expect(await Promise.all([front, back].map(replicasOf))).toEqual([4, 5]);
});

it('names who scaled a stopped service up, and keeps that in the undo', async () => {
  await perform(stop, input(front, back), stopping);
  await scale(front, 1);
  expect(await system.intrusions?.(['run-1'])).toEqual([`somebody scaled ${scratch.name}/front up to 1`]);
  expect((await system.standing?.(['run-1']))?.[1]?.what).toContain('runs again');
  const results = await undo(stop, input(front, back), stopping);
  expect(results.reduce((sum, { kept }) => sum + kept, 0)).toBe(1);
  expect(await system.journal?.conflicts('undo-of-run-1', stopping.stepId, 10)).toEqual([
    expect.objectContaining({
      key: 'front',
      field: 'spec.replicas',
      reason: 'changed-since',
      base: 2,
      ours: 0,
      theirs: 1,
    }),
  ]);
  expect(await Promise.all([front, back].map(replicasOf))).toEqual([1, 3]);
  expect(await marksOf(front)).toEqual({});
  expect(await system.standing?.(['run-1'])).toEqual([]);
});

it('names pods of a stopped service that run again, and stops when somebody scales it up while its pods end', async () => {
  await perform(stop, input(front), stopping);
  await scratch.make(`/api/v1/namespaces/${scratch.name}/pods`, {
    metadata: { name: 'by-hand', labels: { app: 'front' } },
    spec: { containers: [{ name: 'front', image: 'front:v1' }] },
  });
  expect(await system.intrusions?.(['run-1'])).toEqual([`pods of ${scratch.name}/front run again: by-hand`]);

  const kind = kindOf(system, stop);
  const waiting = { index: 2, cursor: { part: 1, waiting: true, waitedMs: 0 }, done: 1, size: 10 };
  const seen = await kind.performBatch(kind.input.parse(input(front)), waiting, stepContext(stopping));
  expect(seen).toMatchObject({ done: 0, cursor: { waiting: true }, note: expect.stringContaining('1 pod of') });
  await scale(front, 2);
  const failure = await failureOf(() =>
    kind.performBatch(kind.input.parse(input(front)), waiting, stepContext(stopping)),
  );
  expect(failure).toMatchObject({ code: 'conflict', retryable: true });
  expect(failure.message).toContain(`somebody scaled ${scratch.name}/front up to 2`);
});

it('says what happened when pods do not end in time, and that nothing is lost', async () => {
  const [pod] = await podsOf(store);
  const path = `/api/v1/namespaces/${scratch.name}/pods/${pod.metadata.name}`;
  await scratch.patch(path, { metadata: { finalizers: ['test.local/held'] } });
  const failure = await failureOf(() => perform(stop, { services: [store], within: '1s' }, stopping));
  expect(failure).toMatchObject({ code: 'timed-out', retryable: true });
  expect(failure.message).toContain(`1 pod of ${scratch.name}/store to end`);
  expect(failure.advice).toContain('remembered');
  await scratch.patch(path, { metadata: { finalizers: null } });
  await perform(stop, { services: [store], within: '60s' }, stopping);
  expect(await podsOf(store)).toEqual([]);
});

it('finds services and namespaces that are not there before anything changes, with the name that is meant', async () => {
  const missing = { ...front, name: 'frnt' };
  const elsewhere = { ...front, namespace: scratch.home };
  const seen = await preview(stop, input(missing, elsewhere, back));
  expect(seen.findings).toEqual([
    expect.objectContaining({ check: 'service-there', status: 'failed', advice: 'Is front meant?' }),
    expect.objectContaining({
      check: 'service-there',
      status: 'failed',
      title: `There is no Deployment front in namespace ${scratch.home}`,
    }),
  ]);
  const refused = await failureOf(() => preview(stop, input({ ...front, namespace: 'kube-system' })));
  expect(refused).toMatchObject({ code: 'not-allowed', message: expect.stringContaining('kube-system') });
  expect(await replicasOf(back)).toBe(3);
});

it('does not take a service for started that somebody removed meanwhile', async () => {
  await perform(stop, input(front, back), stopping);
  await scratch.remove(pathTo(front));
  const failure = await failureOf(() => perform(start, input(back, front), starting));
  expect(failure).toMatchObject({ code: 'precondition-failed', retryable: true });
  expect(failure.message).toContain(`there is no Deployment ${scratch.name}/front any more`);
  expect(await replicasOf(back)).toBe(0);
  const verified = await kindOf(system, start).verify?.(kindOf(system, start).input.parse(input(front)), stepContext());
  expect(verified).toEqual(
    expect.arrayContaining([expect.objectContaining({ check: 'service-there', status: 'failed' })]),
  );
  expect(await undo(stop, input(front, back), stopping)).toEqual(
    expect.arrayContaining([expect.objectContaining({ missing: 1 }), expect.objectContaining({ done: 1 })]),
  );
  expect(await replicasOf(back)).toBe(3);
});

it('stops at the approved count, and for a process that lost the environment', async () => {
  const capped = await failureOf(() => perform(stop, input(front, back), { ...stopping, cap: 1 }));
  expect(capped.code).toBe('over-cap');
  expect(await Promise.all([front, back].map(replicasOf))).toEqual([0, 3]);
  await system.advanceFence?.({ environment: 'test', token: 5 });
  await scratch.system().advanceFence?.({ environment: 'test', token: 3 });
  const late = await failureOf(() =>
    perform(stop, input(back), { runId: 'late', fence: { environment: 'test', token: 4 } }),
  );
  expect(late.code).toBe('fenced');
  expect(await replicasOf(back)).toBe(3);
  expect(sumDone(await perform(stop, input(back), { runId: 'now', fence: { environment: 'test', token: 6 } }))).toBe(1);
});

it('still tells of a stopped service when somebody removed what was remembered on it, and knows how many it had', async () => {
  await perform(stop, input(front, back), stopping);
  const annotations = { 'tas-bot/replicas': null, 'tas-bot/stopped-by': null };
  await scratch.patch(pathTo(back), { metadata: { annotations } });
  expect(await system.standing?.(['run-1'])).toEqual([
    { what: `${scratch.name}/front is stopped (2 replicas are remembered)`, closes: true },
    { what: expect.stringContaining(`${scratch.name}/back is stopped and somebody removed`), closes: true },
  ]);
  const failure = await failureOf(() => perform(start, input(back, front), starting));
  expect(failure.advice).toContain('`replicas: 3`');
  await perform(start, { services: [{ ...back, replicas: 3 }, front] }, { ...starting, stepId: 'again' });
  await scale(back, 0);
  expect(await system.standing?.(['run-1'])).toEqual([]);
});
