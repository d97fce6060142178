import type { System } from '../../../src/systems/system.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { pathTo, type ScratchNamespace, type Service, scratchNamespace } from './scratch-namespace.ts';

const step = { runId: 'run-1', stepId: 'infrastructure.store' };
let scratch: ScratchNamespace;
let system: System;
let store: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  store = await scratch.deploy('store', { kind: 'StatefulSet', image: 'postgres:15.4' });
  await scratch.ready(store);
});
afterEach(() => scratch.close());

const kind = () => kindOf(system, 'kubernetes.apply-manifest');
const manifest = (containers: object[], over: object = {}) => ({
  manifests: [
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'store', namespace: scratch.name, labels: { tier: 'data' } },
      spec: { template: { spec: { containers } }, ...over },
    },
  ],
});
const wanted = () =>
  manifest([
    {
      name: 'store',
      image: 'postgres:15.6',
      env: [{ name: 'LEVEL', value: 'info' }],
      resources: { limits: { memory: '1Gi' } },
    },
  ]);
const preview = (input: object) => kind().preview(kind().input.parse(input), stepContext({ runId: 'preview' }));
const perform = (input: object = wanted()) => performAll(kind(), input, stepContext(step), 10);
const undo = (runId: string, undoes: object = step) =>
  undoAll(kind(), wanted(), undoContext({ ...step, ...undoes }, { runId, stepId: step.stepId }));
const spec = async () => {
  const { metadata, spec: found } = await scratch.read(pathTo(store));
  const [container] = found.template.spec.containers;
  return {
    tier: metadata.labels?.tier,
    image: container.image,
    env: container.env,
    limits: container.resources?.limits,
    replicas: found.replicas,
  };
};
const before = { tier: undefined, image: 'postgres:15.4', env: undefined, limits: undefined, replicas: 1 };
const after = {
  tier: 'data',
  image: 'postgres:15.6',
  env: [{ name: 'LEVEL', value: 'info' }],
  limits: { memory: '1Gi' },
  replicas: 1,
};

it('shows each field before and after, and changes nothing for it', async () => {
  const seen = await preview(wanted());
  expect(seen).toMatchObject({ count: 1, exact: true, undoClass: 'reversible', findings: [] });
  expect(seen.samples[0]).toMatchObject({
    key: 'store',
    before: { 'spec.template.spec.containers.name=store.image': 'postgres:15.4', 'metadata.labels.tier': null },
    after: { 'spec.template.spec.containers.name=store.image': 'postgres:15.6', 'metadata.labels.tier': 'data' },
  });
  expect(await spec()).toEqual(before);
});

it('is applied, is the same after a crash, goes back by its undo, and comes again when that is undone', async () => {
  expect(sumDone(await perform())).toBe(1);
  expect(sumDone(await perform())).toBe(1);
  expect(await spec()).toEqual(after);
  expect((await preview(wanted())).count).toBe(0);
  expect(await kind().verify?.(kind().input.parse(wanted()), stepContext(step))).toMatchObject([{ status: 'passed' }]);
  expect(sumDone(await undo('undo-1'))).toBe(1);
  expect(await spec()).toEqual(before);
  expect(sumDone(await undo('redo-1', { runId: 'undo-1' }))).toBe(1);
  expect(await spec()).toEqual(after);
});

it('keeps in its undo what somebody changed since, and reports it', async () => {
  await perform();
  await scratch.patch(pathTo(store), { metadata: { labels: { tier: 'theirs' } } });
  const results = await undo('undo-1');
  expect(results.reduce((sum, { kept }) => sum + kept, 0)).toBe(1);
  expect((await spec()).tier).toBe('theirs');
  expect(await system.journal?.conflicts('undo-1', step.stepId, 5)).toMatchObject([
    { field: 'metadata.labels.tier', reason: 'changed-since', ours: 'data', theirs: 'theirs' },
  ]);
});

it.each([
  ['a new major version of a database', () => manifest([{ name: 'store', image: 'postgres:16.1' }]), 'database-major'],
  [
    'replicas, which others remember',
    () => manifest([{ name: 'store', image: 'postgres:15.6' }], { replicas: 0 }),
    'replicas-remembered',
  ],
  [
    'an object that is not there',
    () => ({
      manifests: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'none', namespace: scratch.name }, data: {} },
      ],
    }),
    'object-there',
  ],
])('is refused with %s', async (_what, input, check) => {
  expect((await preview(input())).findings).toMatchObject([{ check, status: 'failed' }]);
});

it('takes no secrets, no rights, and nothing of another namespace', async () => {
  for (const of of ['Secret', 'Role', 'ClusterRole', 'Namespace']) {
    const input = { manifests: [{ apiVersion: 'v1', kind: of, metadata: { name: 'x', namespace: scratch.name } }] };
    expect(kind().input.safeParse(input).success).toBe(false);
  }
  const elsewhere = {
    manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'kube-system' }, data: {} }],
  };
  await expect(preview(elsewhere)).rejects.toMatchObject({ code: 'not-allowed' });
});
