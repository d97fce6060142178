import type { System, UndoBatchResult, UndoContext } from '../../../src/systems/system.ts';
import { failureOf } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
import { type ScratchBucket, scratchBucket } from './scratch-bucket.ts';

const input = { match: '^(tenant_\\d+)/', set: { tenant: '$1', stage: 'moved' } };
const undoes = { runId: 'run-1', stepId: 'data.step' };
const outcome = 'batches/run-1/data.step/000000000/done';

let bucket: ScratchBucket;
let system: System;

beforeEach(async () => {
  bucket = await scratchBucket();
  system = bucket.system();
  for (const key of ['tenant_1/a', 'tenant_1/b', 'tenant_2/c']) await bucket.put(key, key, { tags: { stage: 'new' } });
  await bucket.put('other/d', 'd');
});

afterEach(async () => {
  await system.close();
  await bucket.remove();
});

const perform = () => performAll(kindOf(system, 'minio.set-tags'), input, stepContext(), 100);

/** As if the process had been killed before the outcome was written. */
async function forgetOutcome(): Promise<void> {
  await bucket.client.removeObject(`${bucket.name}-tas-journal`, outcome);
}

it('sets what it caught in the key, keeps other tags, and makes no new version', async () => {
  await bucket.client.setObjectTagging(bucket.name, 'tenant_2/c', { mine: 'yes' });
  expect(await perform()).toEqual([{ cursor: null, done: 3 }]);
  expect(await bucket.tagsOf('tenant_1/a')).toEqual({ tenant: 'tenant_1', stage: 'moved' });
  expect(await bucket.tagsOf('tenant_2/c')).toEqual({ tenant: 'tenant_2', stage: 'moved', mine: 'yes' });
  expect(await bucket.versionsOf('tenant_1/a')).toBe(1);
  expect(await kindOf(system, 'minio.set-tags').verify?.(input, stepContext())).toMatchObject([{ status: 'passed' }]);
});

it('carries a batch to its end that a killed process left half done, and answers as if it had not died', async () => {
  await perform();
  await forgetOutcome();
  await bucket.client.setObjectTagging(bucket.name, 'tenant_1/b', { stage: 'new' });
  expect(await perform()).toEqual([{ cursor: null, done: 3 }]);
  expect(await bucket.tagsOf('tenant_1/b')).toEqual({ tenant: 'tenant_1', stage: 'moved' });
});

it('does not overwrite what a user wrote between the intent and the deed, and reports it as kept', async () => {
  await perform();
  await forgetOutcome();
  await bucket.client.setObjectTagging(bucket.name, 'tenant_1/b', { stage: 'mine' });
  await bucket.put('tenant_2/c', 'new content');
  expect(await perform()).toEqual([{ cursor: null, done: 1 }]);
  expect(await bucket.tagsOf('tenant_1/b')).toEqual({ stage: 'mine' });
  const [result] = await undoAll(kindOf(system, 'minio.set-tags'), input, undoContext(undoes));
  expect(result).toEqual({ cursor: null, done: 1, kept: 0, missing: 0 });
  expect(await bucket.tagsOf('tenant_1/b')).toEqual({ stage: 'mine' });
});

it('undoes a batch that was begun and never finished', async () => {
  await perform();
  await forgetOutcome();
  await bucket.client.setObjectTagging(bucket.name, 'tenant_1/a', { stage: 'new' });
  const [result] = await undoAll(kindOf(system, 'minio.set-tags'), input, undoContext(undoes));
  expect(result).toEqual({ cursor: null, done: 2, kept: 0, missing: 0 });
  for (const key of ['tenant_1/a', 'tenant_1/b', 'tenant_2/c'])
    expect(await bucket.tagsOf(key)).toEqual({ stage: 'new' });
});

it('keeps newer versions, values that others refer to with the tags coupled to them, and reports what is gone', async () => {
  await perform();
  await bucket.put('tenant_1/a', 'a newer version', { tags: { tenant: 'tenant_1', stage: 'moved' } });
  await bucket.client.removeObject(bucket.name, 'tenant_1/b');
  const field = (name: string) => ({ system: 'objects', collection: bucket.name, field: `tag.${name}` });
  const context = undoContext(undoes, {
    held: async (ref, values) => new Set(ref.field === 'tag.tenant' ? values.filter((v) => v === 'tenant_2') : []),
    coupled: [[field('tenant'), field('stage')]],
  });
  const [result] = await undoAll(kindOf(system, 'minio.set-tags'), input, context);
  expect(result).toEqual({ cursor: null, done: 0, kept: 4, missing: 1 });
  const conflicts = await system.journal?.conflicts(context.runId, context.stepId, 10);
  expect(conflicts?.map((conflict) => `${conflict.key} ${conflict.field} ${conflict.reason}`).sort()).toEqual([
    'tenant_1/a tag.stage changed-since',
    'tenant_1/a tag.tenant changed-since',
    'tenant_1/b tag.tenant missing',
    'tenant_2/c tag.stage coupled',
    'tenant_2/c tag.tenant referred-to',
  ]);
});

describe('a tag whose conflict is taken', () => {
  const kind = () => kindOf(system, 'minio.set-tags');
  const taking = (runId: string, names: readonly string[], over: Partial<UndoContext> = {}) => {
    const force = (collection: string, key: string, field: string): boolean =>
      collection === bucket.name && names.includes(`${field}:${key}`);
    return undoContext(undoes, { ...over, runId, force });
  };
  const sum = (results: readonly UndoBatchResult[]) => {
    const total = (name: 'done' | 'kept' | 'missing') => results.reduce((all, result) => all + result[name], 0);
    return [total('done'), total('kept'), total('missing')];
  };
  const undo = async (context: UndoContext) => sum(await undoAll(kind(), input, context));

  beforeEach(async () => {
    await perform();
    await bucket.client.setObjectTagging(bucket.name, 'tenant_1/a', { tenant: 'theirs', stage: 'moved' });
    await bucket.put('tenant_1/b', 'a newer version', { tags: { tenant: 'tenant_1', stage: 'mine' } });
    expect(await undo(undoContext(undoes, { runId: 'undo-1' }))).toEqual([2, 3, 0]);
  });

  it('goes back alone, on the version that is the latest, and its undo brings back what others had', async () => {
    const names = ['tag.tenant:tenant_1/a', 'tag.stage:tenant_1/b'];
    expect(await kind().previewUndo?.(input, taking('p', names))).toMatchObject({
      count: 2,
      kept: { counts: {} },
      samples: expect.arrayContaining([
        { collection: bucket.name, key: 'tenant_1/a', before: { tenant: 'theirs' }, after: { tenant: null } },
      ]),
    });
    expect(await undo(taking('take-1', names))).toEqual([2, 0, 0]);
    expect(await bucket.tagsOf('tenant_1/a')).toEqual({ stage: 'new' });
    expect(await bucket.tagsOf('tenant_1/b')).toEqual({ tenant: 'tenant_1', stage: 'new' });
    expect(await system.journal?.conflicts('take-1', 'data.step', 10)).toEqual([]);
    await bucket.client.removeObject(`${bucket.name}-tas-journal`, 'batches/take-1/data.step/000000000/done');
    expect(await undo(taking('take-1', names))).toEqual([2, 0, 0]);
    expect(await undo(undoContext({ runId: 'take-1', stepId: 'data.step' }, { runId: 'undo-2' }))).toEqual([2, 0, 0]);
    expect(await bucket.tagsOf('tenant_1/a')).toEqual({ tenant: 'theirs', stage: 'new' });
    expect(await bucket.tagsOf('tenant_1/b')).toEqual({ tenant: 'tenant_1', stage: 'mine' });
  });

  it('stays where it is coupled with one that is not taken, or referred to, and is told as missing where it is gone', async () => {
    const field = (name: string) => ({ system: 'objects', collection: bucket.name, field: `tag.${name}` });
    const coupled = [[field('tenant'), field('stage')]];
    expect(await undo(taking('take-1', ['tag.stage:tenant_1/b'], { coupled }))).toEqual([0, 1, 0]);
    const held = async () => new Set(['tenant_1']);
    const both = ['tag.tenant:tenant_1/b', 'tag.stage:tenant_1/b'];
    expect(await undo(taking('take-2', both, { held }))).toEqual([1, 1, 0]);
    expect(await bucket.tagsOf('tenant_1/b')).toEqual({ tenant: 'tenant_1', stage: 'new' });
    await bucket.client.removeObject(bucket.name, 'tenant_1/a');
    expect(await undo(taking('take-3', ['tag.tenant:tenant_1/a']))).toEqual([0, 0, 1]);
    const reasons = await Promise.all(
      ['take-1', 'take-2', 'take-3'].map((run) => system.journal?.conflicts(run, 'data.step', 10)),
    );
    expect(reasons.flat().map((conflict) => `${conflict?.key} ${conflict?.field} ${conflict?.reason}`)).toEqual([
      'tenant_1/b tag.stage coupled',
      'tenant_1/b tag.tenant referred-to',
      'tenant_1/a tag.tenant missing',
    ]);
  });
});

it('tells what it wrote, and which other objects carry these values', async () => {
  await perform();
  await bucket.client.setObjectTagging(bucket.name, 'other/d', { tenant: 'tenant_2' });
  const written: string[] = [];
  for await (const values of system.journal?.writtenValues('run-1', 'data.step', 'tag.tenant') ?? [])
    written.push(...values);
  expect(written.sort()).toEqual(['tenant_1', 'tenant_1', 'tenant_2']);
  expect(await system.journal?.foreignReferences('run-1', bucket.name, 'tag.tenant', written)).toEqual(
    new Set(['tenant_2']),
  );
});

it('refuses in the plan what objects cannot take', async () => {
  const kind = kindOf(system, 'minio.set-tags');
  const preview = await kind.preview({ set: { note: 'not allowed: "<>"' } }, stepContext());
  expect(preview.findings).toMatchObject([{ check: 'tags-fit', status: 'failed', count: 4 }]);
  expect((await failureOf(() => performAll(kind, { set: { note: '"' } }, stepContext(), 10))).code).toBe(
    'precondition-failed',
  );
  expect(kind.input.safeParse({ match: '(', set: { a: 'b' } }).success).toBe(false);
});

it('calls it one-way where the bucket keeps no versions', async () => {
  const plain = await scratchBucket({ versioned: false });
  await plain.put('tenant_1/a', 'a');
  const other = plain.system();
  const preview = await kindOf(other, 'minio.set-tags').preview(input, stepContext());
  expect(preview).toMatchObject({ count: 1, undoClass: 'one-way' });
  expect((await other.checkHealth()).note).toContain('versions');
  await other.close();
  await plain.remove();
});

it('says what is wrong with a bucket that is not there', async () => {
  const other = bucket.system({ bucket: 'no-such-bucket-here' });
  expect((await failureOf(async () => other.fingerprint?.())).code).toBe('precondition-failed');
  expect(await other.checkHealth()).toMatchObject({ up: false });
  await other.close();
});
