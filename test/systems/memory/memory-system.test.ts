import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSeal } from '../../../src/shared/sealed.ts';
import { createMemorySystem, type MemorySystem } from '../../../src/systems/memory/memory-system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';

const seal = createSeal(Buffer.alloc(32, 7));
const fill = {
  collection: 'User',
  where: { field: 'tenant_id', equals: null },
  set: { tenant_id: 'tenant_{sequence}' },
};

let system: MemorySystem;
beforeEach(() => {
  const User = ['u-1', 'u-2', 'u-3'].map((id) => ({ id, email: `${id}@example.org` }));
  system = createMemorySystem({ name: 'people', seal, records: { User } });
});

async function fillUsers(runId = 'run-1', stepId = 'data.step'): Promise<void> {
  await performAll(kindOf(system, 'memory.set-fields'), fill, stepContext({ runId, stepId }), 2);
}

async function conflictsOf(runId: string): Promise<string[]> {
  const conflicts = await system.journal.conflicts(runId, 'data.step', 10);
  return conflicts.map((conflict) => `${conflict.key}.${conflict.field} ${conflict.reason}`);
}

it('generates ids that are base plus ordinal over all batches', async () => {
  await fillUsers();
  expect(['u-1', 'u-2', 'u-3'].map((id) => system.read('User', id)?.tenant_id)).toEqual([
    'tenant_1700000000000000',
    'tenant_1700000000000001',
    'tenant_1700000000000002',
  ]);
});

it('keeps a value that newer records refer to, and the fields coupled with it', async () => {
  const set = { tenant_id: 'tenant_{sequence}', space_id: 'space_{sequence}' };
  const kind = kindOf(system, 'memory.set-fields');
  await performAll(kind, { ...fill, set }, stepContext(), 10);
  system.put('Notebook', { id: 'n-1', tenant_id: 'tenant_1700000000000001' });
  const written: string[] = [];
  for await (const values of system.journal.writtenValues('run-1', 'data.step', 'tenant_id')) written.push(...values);
  const foreign = await system.journal.foreignReferences('run-1', 'Notebook', 'tenant_id', written);
  expect([...foreign]).toEqual(['tenant_1700000000000001']);
  const field = (name: string) => ({ system: 'people', collection: 'User', field: name });
  const context = undoContext(
    { runId: 'run-1', stepId: 'data.step' },
    {
      held: async (ref, values) =>
        new Set(ref.field === 'tenant_id' ? values.filter((value) => foreign.has(value)) : []),
      coupled: [[field('tenant_id'), field('space_id')]],
    },
  );
  expect((await kind.previewUndo?.({ ...fill, set }, context))?.count).toBe(2);
  const [result] = await undoAll(kind, { ...fill, set }, context);
  expect(result).toEqual({ cursor: null, done: 2, kept: 2, missing: 0 });
  expect(await conflictsOf(context.runId)).toEqual(['u-2.tenant_id referred-to', 'u-2.space_id coupled']);
  expect(system.read('User', 'u-2')?.space_id).toBe('space_1700000000000001');
  expect(system.read('User', 'u-1')?.tenant_id).toBeUndefined();
});

it('keeps a coupled field that another step of the run wrote', async () => {
  const kind = kindOf(system, 'memory.set-fields');
  await fillUsers();
  const spaces = { collection: 'User', set: { space_id: 'space_{sequence}' } };
  await performAll(kind, spaces, stepContext({ stepId: 'data.spaces' }), 10);
  system.put('User', { ...(system.read('User', 'u-1') ?? { id: 'u-1' }), tenant_id: 'tenant_mine' });
  const field = (name: string) => ({ system: 'people', collection: 'User', field: name });
  const coupled = [[field('tenant_id'), field('space_id')]];
  const context = undoContext({ runId: 'run-1', stepId: 'data.spaces' }, { coupled, stepId: 'data.step' });
  expect(await undoAll(kind, spaces, context)).toEqual([{ cursor: null, done: 2, kept: 1, missing: 0 }]);
  expect(await conflictsOf(context.runId)).toEqual(['u-1.space_id coupled']);
});

it('reports records that are gone, and does not overwrite one that was made anew', async () => {
  await fillUsers();
  system.remove('User', 'u-2');
  const undo = undoContext({ runId: 'run-1', stepId: 'data.step' });
  const results = await undoAll(kindOf(system, 'memory.set-fields'), fill, undo);
  expect(results.reduce((sum, result) => sum + result.missing, 0)).toBe(1);
  expect(await conflictsOf(undo.runId)).toEqual(['u-2.tenant_id missing']);

  const kind = kindOf(system, 'memory.delete-records');
  await performAll(kind, { collection: 'User' }, stepContext({ runId: 'run-2' }), 10);
  system.put('User', { id: 'u-1', email: 'new@example.org' });
  const back = undoContext({ runId: 'run-2', stepId: 'data.step' });
  expect(await undoAll(kind, { collection: 'User' }, back)).toEqual([{ cursor: null, done: 1, kept: 1, missing: 0 }]);
  expect(await conflictsOf(back.runId)).toEqual(['u-1.id value-taken']);
  expect(system.read('User', 'u-1')?.email).toBe('new@example.org');
});

it('keeps a recreated record that somebody changed when the undo is undone', async () => {
  const kind = kindOf(system, 'memory.delete-records');
  await performAll(kind, { collection: 'User' }, stepContext(), 10);
  const undo = undoContext({ runId: 'run-1', stepId: 'data.step' });
  await undoAll(kind, { collection: 'User' }, undo);
  system.put('User', { id: 'u-2', email: 'u-2@example.org', note: 'keep me' });
  const redo = undoContext({ runId: undo.runId, stepId: 'data.step' });
  expect(await undoAll(kind, { collection: 'User' }, redo)).toEqual([{ cursor: null, done: 2, kept: 1, missing: 0 }]);
  expect(system.read('User', 'u-2')?.note).toBe('keep me');
});

it('keeps a batch whose answer was lost, and answers it when asked again', async () => {
  system.loseNextAnswer();
  const kind = kindOf(system, 'memory.set-fields');
  const batch = { index: 0, cursor: null, done: 0, size: 10 };
  expect((await failureOf(() => kind.performBatch(fill, batch, stepContext()))).retryable).toBe(true);
  expect(await kind.performBatch(fill, batch, stepContext())).toEqual({ cursor: null, done: 3 });
});

it('fails on demand at a batch, as often as it is told', async () => {
  const kind = kindOf(system, 'memory.fail-at');
  const input = { batch: 1, code: 'disk-full', times: 1 };
  expect((await failureOf(() => performAll(kind, input, stepContext(), 10))).code).toBe('disk-full');
  expect(await performAll(kind, input, stepContext(), 10)).toEqual([
    { cursor: 1, done: 0 },
    { cursor: null, done: 0 },
  ]);
});

it('does not answer while it is unreachable, and says so in its health', async () => {
  system.setReachable(false);
  expect((await failureOf(() => system.fingerprint())).code).toBe('unreachable');
  expect(await system.checkHealth()).toMatchObject({ up: false });
  system.setReachable(true);
  expect((await system.fingerprint()).counts).toEqual({ User: 3 });
});

it('writes no record into the journal in the clear', async () => {
  const kind = kindOf(system, 'memory.delete-records');
  await performAll(kind, { collection: 'User' }, stepContext(), 10);
  const folder = await mkdtemp(join(tmpdir(), 'tas-memory-'));
  const context = { objectsFolder: folder, signal: AbortSignal.timeout(1000), progress: () => {} };
  await system.backup(folder, context);
  expect(await readFile(`${folder}/journal.ndjson`, 'utf8')).not.toContain('example.org');
  await rm(folder, { recursive: true });
});
