import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { type Loose, type ScratchNamespace, scratchNamespace, until } from './scratch-namespace.ts';

const name = 'kubernetes.run-job';
const step = { runId: 'run-1', stepId: 'services.tests' };
let scratch: ScratchNamespace;
let system: System;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  await say('');
});

afterEach(async () => {
  await say('');
  await scratch.close();
});

/** What the fake kubelet shows as the log of every container called `job`. */
function say(...lines: readonly string[]): Promise<void> {
  const file = join(dirname(liveEndpoints().kubernetes.kubeconfig), 'container-logs/job.log');
  return writeFile(file, lines.map((line) => `${new Date().toISOString()} stdout F ${line}\n`).join(''));
}

const spec = (image: string, over = {}) => ({
  backoffLimit: 0,
  template: {
    spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [{ name: 'job', image }] },
  },
  ...over,
});
const input = (image: string, over = {}) => ({
  namespace: scratch.name,
  name: 'smoke',
  from: { manifest: { spec: spec(image) } },
  within: '30s',
  ...over,
});
const kind = () => kindOf(system, name);
const perform = (wanted: object, over = {}) => performAll(kind(), wanted, stepContext({ ...step, ...over }), 10);
const undo = (wanted: object) => undoAll(kind(), wanted, undoContext(step, { stepId: step.stepId }));
const preview = (wanted: object) => kind().preview(kind().input.parse(wanted), stepContext({ runId: 'preview' }));
const jobs = async (): Promise<Loose[]> => (await scratch.read(`/apis/batch/v1/namespaces/${scratch.name}/jobs`)).items;
const images = async (): Promise<string[]> =>
  (await jobs()).map((job) => job.spec.template.spec.containers[0].image).sort();

it('runs a Job once, finds it again after a crash, and removes it in its undo', async () => {
  const wanted = input('tests:v1', { expect: ', 0 failed$' });
  await say('12 passed, 0 failed');
  expect(await preview(wanted)).toMatchObject({ count: 1, findings: [], undoClass: 'one-way' });
  expect(await jobs()).toEqual([]);
  expect(sumDone(await perform(wanted, { cap: 1 }))).toBe(1);
  expect(sumDone(await perform(wanted, { cap: 1 }))).toBe(1);
  const [job, ...others] = await jobs();
  expect(others).toEqual([]);
  expect(job.metadata.name).toMatch(/^smoke-[0-9a-f]{10}$/);
  expect(job.spec.activeDeadlineSeconds).toBe(90);
  expect(job.status.succeeded).toBe(1);
  const parsed = kind().input.parse(wanted);
  expect(await kind().verify?.(parsed, stepContext(step))).toMatchObject([{ status: 'passed' }]);
  await say('11 passed, 1 failed');
  expect(await kind().verify?.(parsed, stepContext(step))).toMatchObject([{ status: 'failed' }]);
  expect(await undo(wanted)).toMatchObject([{ done: 1, kept: 0, missing: 0 }]);
  await until(async () => (await jobs()).length === 0);
  const redo = undoContext({ runId: 'undo-of-run-1', stepId: step.stepId }, { stepId: step.stepId });
  expect(sumDone(await undoAll(kind(), wanted, redo))).toBe(0);
  expect(await jobs()).toEqual([]);
});

it('fails with the reason and the last lines, without secrets, and runs another one when tried again', async () => {
  await say(...Array.from({ length: 30 }, (_, i) => `line ${i}`), 'assertion failed, PASSWORD=hunter2');
  const wanted = input('tests:fails');
  const failed = await failureOf(() => perform(wanted));
  expect(failed).toMatchObject({ code: 'step-failed', retryable: true });
  expect(failed.message).toContain('BackoffLimitExceeded');
  expect(failed.message).toContain('assertion failed, PASSWORD=[secret]');
  expect(failed.message).not.toContain('hunter2');
  expect(failed.message).not.toContain('line 5\n');
  expect(failed.message).toContain('line 12\n');
  expect(await jobs()).toHaveLength(1);
  expect((await failureOf(() => perform(wanted))).message).toContain('BackoffLimitExceeded');
  expect(await jobs()).toHaveLength(2);
  expect(await undo(wanted)).toMatchObject([{ done: 2 }]);
  await until(async () => (await jobs()).length === 0);
});

it('says how far it is, and ends the pods of a Job that hangs', async () => {
  const wanted = kind().input.parse(input('tests:hangs', { within: '7s' }));
  const first = await kind().performBatch(wanted, { index: 0, cursor: null, done: 0, size: 1 }, stepContext(step));
  expect(first).toMatchObject({ done: 1, note: expect.stringMatching(/0 of 1 completed, 1 pod runs.*is Running/) });
  const next = { index: 1, cursor: first.cursor, done: 1, size: 1 };
  const failed = await failureOf(() => kind().performBatch(wanted, next, stepContext(step)));
  expect(failed.code).toBe('timed-out');
  expect(failed.message).toContain('suspended');
  await until(async () => (await scratch.read(`/api/v1/namespaces/${scratch.name}/pods`)).items.length === 0);
  expect((await jobs())[0].spec.suspend).toBe(true);
  const again = await kind().performBatch(wanted, next, stepContext(step));
  expect(again).toMatchObject({ done: 0, cursor: { attempt: 1 } });
  expect(await jobs()).toHaveLength(2);
});

it('runs what its CronJob would run, and in its undo the Job that takes it back', async () => {
  const schedule = {
    schedule: '0 0 1 1 *',
    suspend: true,
    jobTemplate: { spec: spec('seed:v1', { ttlSecondsAfterFinished: 1 }) },
  };
  const path = `/apis/batch/v1/namespaces/${scratch.name}/cronjobs`;
  await scratch.make(path, { metadata: { name: 'seed' }, spec: schedule });
  const wanted = input('', { from: { cronJob: 'seed' }, undoJob: { manifest: { spec: spec('unseed:v1') } } });
  expect(await preview(wanted)).toMatchObject({ count: 1, findings: [], undoClass: 'reversible' });
  expect(sumDone(await perform(wanted))).toBe(1);
  expect(await images()).toEqual(['seed:v1']);
  expect((await jobs())[0].spec.ttlSecondsAfterFinished).toBeUndefined();
  await undo(wanted);
  await until(async () => JSON.stringify(await images()) === '["unseed:v1"]');
  const redo = undoContext({ runId: 'undo-of-run-1', stepId: step.stepId }, { runId: 'redo', stepId: step.stepId });
  await undoAll(kind(), wanted, redo);
  await until(async () => JSON.stringify(await images()) === '["seed:v1"]');
});

it('refuses before anything is made: no CronJob, a Job that the server does not take, a foreign namespace', async () => {
  expect((await preview(input('', { from: { cronJob: 'none' } }))).findings).toMatchObject([{ status: 'failed' }]);
  const wrong = input('', { from: { manifest: { spec: { template: { spec: { containers: [] } } } } } });
  expect((await preview(wrong)).findings[0]?.title).toContain('does not accept');
  expect(await failureOf(() => preview(input('x', { namespace: 'kube-system' })))).toMatchObject({
    code: 'not-allowed',
  });
  expect(() => kind().input.parse(input('x', { expect: '(' }))).toThrow('regular expression');
  expect(await jobs()).toEqual([]);
});
