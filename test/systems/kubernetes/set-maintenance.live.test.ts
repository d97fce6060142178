import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { type ScratchNamespace, scratchNamespace } from './scratch-namespace.ts';

const name = 'kubernetes.set-maintenance';
const on = { on: true, message: 'Back at noon', until: '2999-01-01T12:00:00Z' };
const off = { on: false };
let scratch: ScratchNamespace;
let system: System;
let mapPath: string;
let ingressPath: string;

beforeEach(async () => {
  scratch = await scratchNamespace();
  const namespace = scratch.name;
  mapPath = `/api/v1/namespaces/${namespace}/configmaps/maintenance`;
  ingressPath = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses/web`;
  const annotations = { 'nginx/redirect': 'https://down.example', 'nginx/code': '503' };
  system = scratch.system({
    maintenance: { namespace, configMap: 'maintenance', ingress: { namespace, name: 'web', annotations } },
  });
  await scratch.make(mapPath.replace(/\/maintenance$/, ''), {
    metadata: { name: 'maintenance' },
    data: { enabled: 'false', message: '', theirs: 'stays' },
  });
  const backend = { service: { name: 'web', port: { number: 80 } } };
  await scratch.make(ingressPath.replace(/\/web$/, ''), {
    metadata: { name: 'web', annotations: { 'nginx/code': '302', other: 'x' } },
    spec: { defaultBackend: backend },
  });
});

afterEach(() => scratch.close());

const step = { runId: 'run-1', stepId: 'before.maintenance' };
const kind = () => kindOf(system, name);
const perform = (input: object, over = {}) => performAll(kind(), input, stepContext({ ...step, ...over }), 10);
const undo = (input: object, of = step) => undoAll(kind(), input, undoContext(of, { stepId: of.stepId }));
const preview = (input: object) => kind().preview(kind().input.parse(input), stepContext({ runId: 'preview' }));
const data = async () => (await scratch.read(mapPath)).data;
const annotations = async () => (await scratch.read(ingressPath)).metadata.annotations;
const before = { code: { 'nginx/code': '302', other: 'x' }, data: { enabled: 'false', message: '', theirs: 'stays' } };

it('turns maintenance on and undoes it: everything is as it was, what others put beside it too', async () => {
  const found = await preview(on);
  expect(found).toMatchObject({ count: 2, findings: [], undoClass: 'reversible' });
  expect(found.samples[0]).toMatchObject({
    before: { 'data.enabled': 'false' },
    after: { 'data.enabled': 'true', 'data.message': 'Back at noon' },
  });
  expect(await data()).toEqual(before.data);
  expect(sumDone(await perform(on))).toBe(2);
  expect(sumDone(await perform(on))).toBe(2);
  expect(await data()).toEqual({ enabled: 'true', message: 'Back at noon', until: on.until, theirs: 'stays' });
  expect(await annotations()).toMatchObject({ 'nginx/redirect': 'https://down.example', 'nginx/code': '503' });
  expect(await kind().verify?.(on, stepContext(step))).toMatchObject([{ status: 'passed' }]);
  const [standing] = (await system.standing?.(['run-1'])) ?? [];
  expect(standing).toEqual({ what: expect.stringContaining('maintenance mode is on'), closes: false });
  expect(await system.standing?.(['another-run'])).toEqual([]);
  expect(await preview(on)).toMatchObject({ count: 0 });

  expect(await undo(on)).toMatchObject([{ done: 2, kept: 0, missing: 0 }]);
  expect(await data()).toEqual(before.data);
  expect(await annotations()).toEqual(before.code);
  expect(await system.standing?.(['run-1'])).toEqual([]);
  const redo = undoContext({ runId: 'undo-of-run-1', stepId: step.stepId }, { stepId: step.stepId });
  expect(sumDone(await undoAll(kind(), on, redo))).toBe(2);
  expect(await data()).toMatchObject({ enabled: 'true' });
});

it('turns it off again with the annotations that the ingress had before', async () => {
  await perform(on);
  const last = { ...step, stepId: 'after.maintenance' };
  expect(sumDone(await perform(off, last))).toBe(2);
  expect(await data()).toEqual(before.data);
  expect(await annotations()).toEqual(before.code);
  expect(await system.standing?.(['run-1'])).toEqual([]);
  await undo(off, last);
  expect(await data()).toMatchObject({ enabled: 'true', message: 'Back at noon' });
  await undo(on);
  expect(await data()).toEqual(before.data);
  expect(await annotations()).toEqual(before.code);
});

it('keeps a message that somebody wrote since, and says so', async () => {
  await perform(on);
  await scratch.patch(mapPath, { data: { message: 'Tomorrow, we hope' } });
  const results = await undo(on);
  expect(results).toMatchObject([{ done: 1, kept: 1, missing: 0 }]);
  expect(await data()).toMatchObject({ enabled: 'true', message: 'Tomorrow, we hope' });
  expect(await system.journal?.conflicts('undo-of-run-1', step.stepId, 5)).toEqual([
    expect.objectContaining({ field: 'data.message', reason: 'changed-since', theirs: 'Tomorrow, we hope' }),
  ]);
});

it('refuses what cannot be: no message, a time that is over, nothing to write to', async () => {
  const failed = async (input: object): Promise<string[]> => (await preview(input)).findings.map(({ check }) => check);
  expect(await failed({ on: true, message: ' ' })).toEqual(['maintenance-message']);
  expect(await failed({ ...on, until: '2001-01-01T12:00:00Z' })).toEqual(['maintenance-until']);
  await scratch.remove(mapPath);
  expect(await failed(on)).toEqual(['maintenance-there']);
  expect((await failureOf(() => perform(on))).code).toBe('precondition-failed');
  system = scratch.system();
  expect(await failed(on)).toEqual(['maintenance-there']);
});
