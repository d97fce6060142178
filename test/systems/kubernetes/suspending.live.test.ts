import type { JsonObject } from '../../../src/shared/json.ts';
import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
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
let web: Service;
let other: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  web = await scratch.deploy('web', { replicas: 2 });
  other = await scratch.deploy('other');
  await scratch.ready(web, other);
});

afterEach(() => scratch.close());

const input = (...services: readonly Service[]) => ({ services, within: '60s' });
const perform = (name: string, what: object, over = {}) =>
  performAll(kindOf(system, name), what, stepContext(over), 10);
const undoStop = (...services: readonly Service[]) =>
  undoAll(kindOf(system, stop), input(...services), undoContext(stopping, { stepId: stopping.stepId }));
const preview = (what: object) =>
  kindOf(system, stop).preview(kindOf(system, stop).input.parse(what), stepContext({ runId: 'preview' }));
const inside = (api: string, plural: string, name = '') =>
  `/apis/${api}/namespaces/${scratch.name}/${plural}${name && `/${name}`}`;
const bothAutoscalers = 'horizontalpodautoscalers';

async function autoscale(name: string, metadata: JsonObject = {}): Promise<void> {
  await scratch.make(inside('autoscaling/v2', bothAutoscalers), {
    metadata: { name, ...metadata },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 2,
      maxReplicas: 4,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    },
  });
}

async function schedule(name: string, schedule: string, image = 'job:v1'): Promise<void> {
  await scratch.make(inside('batch/v1', 'cronjobs'), {
    metadata: { name },
    spec: {
      schedule,
      jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'job', image }] } } } },
    },
  });
}

const behaviorOf = async (): Promise<Loose> =>
  (await scratch.read(inside('autoscaling/v2', bothAutoscalers, 'web'))).spec.behavior;
const cronJobOf = async (name: string): Promise<Loose> => scratch.read(inside('batch/v1', 'cronjobs', name));
const marked = (manifest: Loose): boolean => JSON.stringify(manifest.metadata.annotations ?? {}).includes('tas-bot/');

it('suspends autoscalers and CronJobs along with the services, and resumes them when all are started', async () => {
  await autoscale('web');
  await schedule('nightly', '0 3 * * *');
  await schedule('sleeping', '0 4 * * *');
  await scratch.patch(inside('batch/v1', 'cronjobs', 'sleeping'), { spec: { suspend: true } });
  expect((await preview(input(web, other))).locks).toContainEqual(
    `suspended meanwhile: HorizontalPodAutoscaler ${scratch.name}/web, CronJob ${scratch.name}/nightly`,
  );
  await perform(stop, input(web, other), stopping);
  expect(await behaviorOf()).toMatchObject({
    scaleUp: { selectPolicy: 'Disabled' },
    scaleDown: { selectPolicy: 'Disabled' },
  });
  expect((await cronJobOf('nightly')).spec.suspend).toBe(true);
  expect(await system.standing?.(['run-1'])).toEqual(
    expect.arrayContaining([
      { what: `the autoscaler ${scratch.name}/web is suspended`, closes: false },
      { what: `the CronJob ${scratch.name}/nightly is suspended`, closes: false },
    ]),
  );

  await perform(start, input(web), starting);
  // A service of the namespace still stands still, and the CronJob goes with that.
  expect((await cronJobOf('nightly')).spec.suspend).toBe(true);
  expect(await behaviorOf()).toMatchObject({ scaleUp: { selectPolicy: 'Max' }, scaleDown: { selectPolicy: 'Max' } });
  await perform(start, input(other), { ...starting, stepId: 'services.start-other' });
  expect((await cronJobOf('nightly')).spec.suspend).toBe(false);
  expect((await cronJobOf('sleeping')).spec.suspend).toBe(true);
  expect([await cronJobOf('nightly'), await cronJobOf('sleeping')].map(marked)).toEqual([false, false]);
  expect(await system.standing?.(['run-1'])).toEqual([]);
});

it('resumes them in the undo, but not what somebody has set since', async () => {
  await autoscale('web');
  await schedule('nightly', '0 3 * * *');
  await schedule('hourly', '0 * * * *');
  await perform(stop, input(web), stopping);
  await scratch.patch(inside('batch/v1', 'cronjobs', 'hourly'), { spec: { suspend: false } });
  const results = await undoStop(web);
  expect(results.reduce((sum, { kept }) => sum + kept, 0)).toBe(0);
  await scratch.ready(web);
  expect(await behaviorOf()).toMatchObject({ scaleUp: { selectPolicy: 'Max' } });
  expect([(await cronJobOf('nightly')).spec.suspend, (await cronJobOf('hourly')).spec.suspend]).toEqual([false, false]);
  expect(await system.standing?.(['run-1'])).toEqual([]);
});

it('waits for a Job that a CronJob has under way before it stops anything', async () => {
  await schedule('busy', '0 5 * * *', 'job:hangs');
  const owner = await cronJobOf('busy');
  await scratch.make(inside('batch/v1', 'jobs'), {
    metadata: {
      name: 'busy-1',
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'CronJob', name: 'busy', uid: owner.metadata.uid, controller: true },
      ],
    },
    spec: owner.spec.jobTemplate.spec,
  });
  await until(async () => (await scratch.read(inside('batch/v1', 'jobs', 'busy-1'))).status.active === 1);
  const failure = await failureOf(() => perform(stop, { services: [web], within: '1s' }, stopping));
  expect(failure).toMatchObject({ code: 'timed-out', retryable: true });
  expect(failure.message).toContain(`the Job ${scratch.name}/busy-1 of the CronJob busy to end`);
  expect((await scratch.read(pathTo(web))).spec.replicas).toBe(2);
  await scratch.remove(inside('batch/v1', 'jobs', 'busy-1'));
  await perform(stop, input(web), stopping);
  expect((await scratch.read(pathTo(web))).spec.replicas).toBe(0);
});

describe('with KEDA, Argo CD and Flux', () => {
  const definitions = [
    ['keda.sh', 'v1alpha1', 'scaledobjects', 'ScaledObject'],
    ['argoproj.io', 'v1alpha1', 'applications', 'Application'],
    ['kustomize.toolkit.fluxcd.io', 'v1', 'kustomizations', 'Kustomization'],
    ['helm.toolkit.fluxcd.io', 'v2', 'helmreleases', 'HelmRelease'],
  ] as const;
  const ofDefinitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

  beforeAll(async () => {
    const open = await scratchNamespace();
    for (const [group, version, plural, kind] of definitions) {
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
      await open.make(ofDefinitions, {
        metadata: { name: `${plural}.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural, kind, singular: kind.toLowerCase() },
          versions: [{ name: version, served: true, storage: true, schema }],
        },
      });
    }
    for (const [group, version, plural] of definitions) {
      await until(
        async () => (await open.api.send({ method: 'GET', path: `/apis/${group}/${version}/${plural}` })).code === 200,
      );
    }
    await open.close();
  });

  afterAll(async () => {
    const open = await scratchNamespace();
    for (const [group, , plural] of definitions) await open.remove(`${ofDefinitions}/${plural}.${group}`);
    await open.close();
  });

  const label = (service: Service, metadata: JsonObject) => scratch.patch(pathTo(service), { metadata });
  const read = (api: string, plural: string, name: string): Promise<Loose> => scratch.read(inside(api, plural, name));

  it('suspends what would scale or sync a service back, and resumes it', async () => {
    await scratch.make(inside('keda.sh/v1alpha1', 'scaledobjects'), {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'web' },
      spec: { scaleTargetRef: { name: 'web' } },
    });
    const automated = { prune: true, selfHeal: true };
    await scratch.make(inside('argoproj.io/v1alpha1', 'applications'), {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'platform' },
      spec: { syncPolicy: { automated, retry: { limit: 2 } } },
    });
    for (const [api, plural, kind] of [
      ['kustomize.toolkit.fluxcd.io/v1', 'kustomizations', 'Kustomization'],
      ['helm.toolkit.fluxcd.io/v2', 'helmreleases', 'HelmRelease'],
    ] as const) {
      const metadata = { name: 'apps' };
      await scratch.make(inside(api, plural), { apiVersion: api, kind, metadata, spec: { interval: '10m' } });
    }
    await label(web, {
      annotations: { 'argocd.argoproj.io/tracking-id': `platform:apps/Deployment:${scratch.name}/web` },
    });
    const named = (group: string) => ({ [`${group}/name`]: 'apps', [`${group}/namespace`]: scratch.name });
    await label(other, { labels: { ...named('kustomize.toolkit.fluxcd.io'), ...named('helm.toolkit.fluxcd.io') } });

    expect((await preview(input(web, other))).findings).toEqual([]);
    await perform(stop, input(web, other), stopping);
    const states = async () => [
      (await read('keda.sh/v1alpha1', 'scaledobjects', 'web')).metadata.annotations?.['autoscaling.keda.sh/paused'],
      (await read('argoproj.io/v1alpha1', 'applications', 'platform')).spec.syncPolicy,
      (await read('kustomize.toolkit.fluxcd.io/v1', 'kustomizations', 'apps')).spec.suspend ?? false,
      (await read('helm.toolkit.fluxcd.io/v2', 'helmreleases', 'apps')).spec.suspend ?? false,
    ];
    expect(await states()).toEqual(['true', { retry: { limit: 2 } }, true, true]);
    expect((await system.standing?.(['run-1']))?.filter(({ closes }) => !closes)).toHaveLength(4);
    const running = [undefined, { automated, retry: { limit: 2 } }, false, false];
    await undoStop(web, other);
    expect(await states()).toEqual(running);

    await perform(stop, input(web, other), { ...stopping, runId: 'run-2' });
    expect(await states()).toEqual(['true', { retry: { limit: 2 } }, true, true]);
    await perform(start, input(other, web), { ...starting, runId: 'run-2' });
    expect(await states()).toEqual(running);
    expect(await system.standing?.(['run-2'])).toEqual([]);
  });

  it('refuses beforehand where the bot cannot reach what keeps a service', async () => {
    await label(web, { annotations: { 'argocd.argoproj.io/tracking-id': 'elsewhere:apps/Deployment:x/web' } });
    await label(other, {
      labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux-system' },
    });
    expect((await preview(input(web, other))).findings).toEqual([
      expect.objectContaining({
        status: 'failed',
        title: expect.stringContaining('the Argo CD application elsewhere'),
      }),
      expect.objectContaining({
        status: 'failed',
        title: expect.stringContaining('the Flux Kustomization flux-system/apps'),
      }),
    ]);
  });
});
