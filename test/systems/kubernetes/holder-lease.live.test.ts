import { type Cluster, connectCluster } from '../../../src/systems/kubernetes/client.ts';
import { createHolderLease } from '../../../src/systems/kubernetes/holder-lease.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { type ScratchNamespace, scratchNamespace } from './scratch-namespace.ts';

let scratch: ScratchNamespace;
let cluster: Cluster;

beforeEach(async () => {
  scratch = await scratchNamespace();
  const { kubeconfig } = liveEndpoints().kubernetes;
  cluster = connectCluster({ name: 'cluster', kubeconfig, namespaces: [scratch.name], home: scratch.home });
});

afterEach(async () => {
  cluster.close();
  await scratch.close();
});

const held = { environment: 'production', runId: 'run-1', seconds: 60, note: 'maintenance mode is on' };

it('is held by one run, renewed by it and by no other, and given back', async () => {
  const lease = createHolderLease(cluster);
  expect(await lease.read('production')).toBeNull();
  expect(await lease.hold(held)).toBe(true);
  const first = await lease.read('production');
  expect(first).toMatchObject({ runId: 'run-1', note: 'maintenance mode is on', expired: false, seconds: 60 });
  expect(await lease.hold({ ...held, note: 'two services are stopped' })).toBe(true);
  const second = await lease.read('production');
  expect(second).toMatchObject({ note: 'two services are stopped', acquiredAt: first?.acquiredAt });
  expect(second?.renewedAt.getTime()).toBeGreaterThanOrEqual(first?.renewedAt.getTime() ?? Number.NaN);
  expect(await lease.hold({ ...held, runId: 'run-2' })).toBe(false);
  expect(await lease.release('production', 'run-2')).toBe(false);
  expect(await lease.release('production', 'run-1')).toBe(true);
  expect(await lease.read('production')).toBeNull();
});

it('tells who held what when its run has not renewed it, and lets another run take it then', async () => {
  const lease = createHolderLease(cluster);
  await lease.hold(held);
  const later = createHolderLease(cluster, () => Date.now() + 61_000);
  expect(await later.read('production')).toMatchObject({
    runId: 'run-1',
    note: 'maintenance mode is on',
    expired: true,
  });
  const path = `/apis/coordination.k8s.io/v1/namespaces/${scratch.home}/leases/tas-production-holder`;
  expect((await scratch.read(path)).spec).toMatchObject({ holderIdentity: 'run-1', leaseDurationSeconds: 60 });
  expect(await later.hold({ ...held, runId: 'undo-1' })).toBe(true);
  expect((await scratch.read(path)).spec).toMatchObject({ holderIdentity: 'undo-1', leaseTransitions: 1 });
  expect(await lease.hold(held)).toBe(false);
});

it('is taken by one of many that try at once', async () => {
  const lease = createHolderLease(cluster);
  const runs = Array.from({ length: 6 }, (_, i) => `run-${i}`);
  const got = await Promise.all(runs.map((runId) => lease.hold({ ...held, runId })));
  expect(got.filter(Boolean)).toHaveLength(1);
  expect((await lease.read('production'))?.runId).toBe(runs[got.indexOf(true)]);
});
