import type { System } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { type Loose, type ScratchNamespace, scratchNamespace } from './scratch-namespace.ts';

const name = 'kubernetes.set-flag';
const step = { runId: 'run-1', stepId: 'services.flag' };
const variants = { on: true, off: false };
const view = { state: 'ENABLED', variants, defaultVariant: 'off' };
const old = { state: 'DISABLED', variants: { a: 'x', b: 'y' }, defaultVariant: 'a', metadata: { team: 'core' } };
const file = { $schema: 'https://flagd.dev/schema/v0/flags.json', flags: { view, old }, $evaluators: {} };
let scratch: ScratchNamespace;
let system: System;
let path: string;

beforeEach(async () => {
  scratch = await scratchNamespace();
  path = `/api/v1/namespaces/${scratch.name}/configmaps/flags`;
  system = scratch.system({ flags: { namespace: scratch.name, configMap: 'flags', key: 'flags.json' } });
  const data = { 'flags.json': JSON.stringify(file, null, 2), 'other.txt': 'theirs' };
  await scratch.make(path.replace(/\/flags$/, ''), { metadata: { name: 'flags' }, data });
});

afterEach(() => scratch.close());

const kind = () => kindOf(system, name);
const perform = (input: object, over = {}) => performAll(kind(), input, stepContext({ ...step, ...over }), 10);
const undo = (input: object) => undoAll(kind(), input, undoContext(step, { stepId: step.stepId }));
const preview = (input: object) => kind().preview(kind().input.parse(input), stepContext({ runId: 'preview' }));
const text = async (): Promise<string> => (await scratch.read(path)).data['flags.json'];
const flag = async (which = 'view'): Promise<Loose> => JSON.parse(await text()).flags[which];
const write = (content: string) => scratch.patch(path, { data: { 'flags.json': content } });

it('turns a flag on, and back to the letter of the file', async () => {
  const input = { flag: 'view', state: 'on' };
  const before = await text();
  const found = await preview(input);
  expect(found).toMatchObject({ count: 1, findings: [], undoClass: 'reversible' });
  expect(Object.values(found.samples[0]?.before ?? {})).toEqual(['off']);
  expect(Object.values(found.samples[0]?.after ?? {})).toEqual(['on']);
  expect(await text()).toBe(before);
  expect(sumDone(await perform(input))).toBe(1);
  expect(sumDone(await perform(input))).toBe(1);
  expect(await flag()).toEqual({ ...view, defaultVariant: 'on' });
  expect(await kind().verify?.(kind().input.parse(input), stepContext(step))).toMatchObject([{ status: 'passed' }]);
  expect(await preview(input)).toMatchObject({ count: 0 });
  expect((await scratch.read(path)).data['other.txt']).toBe('theirs');
  expect(sumDone(await undo(input))).toBe(1);
  expect(await text()).toBe(before);
  const redo = undoContext({ runId: 'undo-of-run-1', stepId: step.stepId }, { stepId: step.stepId });
  expect(sumDone(await undoAll(kind(), input, redo))).toBe(1);
  expect(await flag()).toEqual({ ...view, defaultVariant: 'on' });
});

it('gives a flag to some tenants, and to a share of them', async () => {
  await perform({ flag: 'view', tenants: ['tenant_1', 'tenant_2'] });
  expect((await flag()).targeting).toEqual({
    if: [{ in: [{ var: 'tenant_id' }, ['tenant_1', 'tenant_2']] }, 'on', 'off'],
  });
  await perform({ flag: 'view', percentage: 25 }, { stepId: 'services.wider' });
  const who = { var: 'tenant_id' };
  const fractional = [{ cat: [{ var: '$flagd.flagKey' }, who] }, ['on', 25], ['off', 75]];
  expect((await flag()).targeting).toEqual({ if: [who, { fractional }, 'off'] });
  await perform({ flag: 'old', defaultVariant: 'b' }, { stepId: 'services.old' });
  expect(await flag('old')).toEqual({ ...old, state: 'ENABLED', defaultVariant: 'b' });
  const results = await undoAll(
    kind(),
    { flag: 'view', percentage: 25 },
    undoContext({ ...step, stepId: 'services.wider' }, { stepId: 'services.wider' }),
  );
  expect(sumDone(results)).toBe(1);
  expect((await flag()).targeting).toEqual({ if: [{ in: [who, ['tenant_1', 'tenant_2']] }, 'on', 'off'] });
  expect(await flag('old')).toEqual({ ...old, state: 'ENABLED', defaultVariant: 'b' });
});

it("undoes its own flag and leaves others' edits: of other flags, and of this one as a conflict", async () => {
  const input = { flag: 'view', state: 'on' };
  await perform(input);
  const now = JSON.parse(await text());
  await write(JSON.stringify({ ...now, flags: { ...now.flags, fresh: view, old: { ...old, defaultVariant: 'b' } } }));
  expect(await undo(input)).toMatchObject([{ done: 1, kept: 0 }]);
  expect(await flag()).toEqual(view);
  expect(await flag('fresh')).toEqual(view);
  expect(await flag('old')).toEqual({ ...old, defaultVariant: 'b' });

  const again = { ...step, runId: 'run-2' };
  await perform(input, again);
  await write(
    JSON.stringify({ ...file, flags: { ...file.flags, view: { ...view, state: 'DISABLED', defaultVariant: 'off' } } }),
  );
  await write(JSON.stringify({ ...file, flags: { ...file.flags, view: { ...view, defaultVariant: null } } }));
  const results = await undoAll(kind(), input, undoContext(again, { stepId: step.stepId }));
  expect(results).toMatchObject([{ done: 0, kept: 1 }]);
  expect((await flag()).defaultVariant).toBeNull();
});

it('refuses what is no flag, no variant, or no file of flagd, with its place', async () => {
  const first = async (input: object) => (await preview(input)).findings[0];
  expect(await first({ flag: 'veiw', state: 'on' })).toMatchObject({ status: 'failed', advice: 'Is view meant?' });
  expect(await first({ flag: 'old', state: 'on' })).toMatchObject({ title: 'The flag old has no variant on' });
  await write(JSON.stringify({ ...file, flags: { ...file.flags, old: { ...old, state: 'yes' } } }));
  expect((await first({ flag: 'view', state: 'on' }))?.title).toContain('flags.old.state');
  await write('flags: not json');
  expect((await first({ flag: 'view', state: 'on' }))?.title).toContain('not JSON');
  expect((await failureOf(() => perform({ flag: 'view', state: 'on' }))).code).toBe('precondition-failed');
  expect(await text()).toBe('flags: not json');
  expect(() => kind().input.parse({ flag: 'view', state: 'on', percentage: 3 })).toThrow('exactly one');
  expect(() => kind().input.parse({ flag: 'view' })).toThrow('exactly one');
});
