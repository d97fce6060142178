import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { System } from '../../../src/systems/system.ts';
import { failureOf, need } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, sumDone, undoAll, undoContext } from '../step-contexts.ts';
import { idsOf, type ScratchVectors, scratchVectors } from './scratch-vectors.ts';

const name = 'tenants/tenant_1/default';
const other = 'tenants/tenant_2/default';
const fieldInput = {
  datasets: 'tenants/*/default',
  field: 'tenant',
  type: 'text',
  from: 'metadata.tenant_id',
  value: 'none',
};
const versionInput = { datasets: 'tenants/*/default', suffix: '.v2', fields: { rename: { content: 'passage' } } };
const context = stepContext({ runId: 'run' });
const undo = undoContext({ runId: 'run', stepId: 'data.step' });

describe('fields and versions of datasets', () => {
  let vectors: ScratchVectors;
  let system: System;

  beforeEach(async () => {
    vectors = await scratchVectors();
    system = vectors.system();
    await vectors.users(
      { do: 'create', path: name, ids: idsOf(5), dimension: 8, tenant: 'tenant_1' },
      { do: 'create', path: other, ids: idsOf(3), dimension: 8, tenant: 'tenant_2' },
    );
  });

  afterEach(async () => {
    await system.close();
    await vectors.remove();
  });

  it('gives old vectors the field in one commit, and new ones a default, so that writers go on', async () => {
    const kind = kindOf(system, 'deeplake.add-field');
    expect(sumDone(await performAll(kind, fieldInput, context, 5))).toBe(8);
    await vectors.users({ do: 'append', path: name, ids: ['late'] });
    const [values, messages] = await vectors.users(
      { do: 'read', path: name, column: 'tenant' },
      { do: 'messages', path: name },
    );
    expect(values).toMatchObject({ 'v-01': 'tenant_1', 'v-05': 'tenant_1', late: 'none' });
    expect((messages as string[]).filter((message) => message === 'tas run data.step 0')).toHaveLength(1);
    expect((await kind.verify?.(kind.input.parse(fieldInput), context))?.[0]?.status).toBe('passed');
  });

  it('reverts while the head is its own commit; else takes the field out and keeps vectors that came since', async () => {
    const kind = kindOf(system, 'deeplake.add-field');
    await performAll(kind, fieldInput, context, 5);
    await vectors.users({ do: 'append', path: name, ids: ['late'] });
    expect(await kind.previewUndo?.(kind.input.parse(fieldInput), undo)).toMatchObject({ count: 8 });
    const results = await undoAll(kind, fieldInput, undo);
    expect(results.reduce((sum, { done }) => sum + done, 0)).toBe(8);
    const [ids, columns, messages] = await vectors.users(
      { do: 'read', path: name, column: 'id' },
      { do: 'columns', path: name },
      { do: 'messages', path: other },
    );
    expect(Object.keys(ids as object)).toEqual([...idsOf(5), 'late']);
    expect(columns).not.toContain('tenant');
    expect((messages as string[]).at(-1)).toMatch(/^Revert commit/);
  });

  it('refuses a field that is there, a source that is not, and a value of another type', async () => {
    const kind = kindOf(system, 'deeplake.add-field');
    const checks = async (input: object): Promise<string[]> =>
      (await kind.preview(kind.input.parse({ ...fieldInput, ...input }), context)).findings
        .filter(({ status }) => status === 'failed')
        .map(({ check }) => check);
    expect(await checks({ field: 'content' })).toEqual(['field-new']);
    expect(await checks({ from: 'nothing.there' })).toEqual(['source-there']);
    expect(await checks({ value: 7 })).toEqual(['value-fits']);
    expect(await checks({ datasets: 'nowhere/*' })).toEqual(['datasets-there']);
    expect(() => kind.input.parse({ ...fieldInput, datasets: '../*' })).toThrow();
  });

  it('makes a version in batches, goes on after a kill, and brings what came, changed and went meanwhile', async () => {
    const kind = kindOf(system, 'deeplake.new-version');
    const input = kind.input.parse(versionInput);
    const first = await kind.performBatch(input, { index: 0, cursor: null, done: 0, size: 3 }, context);
    await rm(join(vectors.root, '.tas/batches/run/data.step/000000000/done'));
    const again = vectors.system();
    expect(
      await kindOf(again, 'deeplake.new-version').performBatch(
        input,
        { index: 0, cursor: null, done: 0, size: 3 },
        context,
      ),
    ).toEqual(first);
    await again.close();
    await vectors.users(
      { do: 'append', path: name, ids: ['a-early'] },
      { do: 'change', path: name, column: 'content', id: 'v-01', value: 'edited' },
      { do: 'delete', path: name, id: 'v-02' },
    );
    let cursor = first.cursor;
    for (let index = 1; cursor !== null; index += 1) {
      ({ cursor } = await kind.performBatch(input, { index, cursor, done: 3, size: 3 }, context));
    }
    const [passages, columns] = await vectors.users(
      { do: 'read', path: `${name}.v2`, column: 'passage' },
      { do: 'columns', path: `${name}.v2` },
    );
    expect(Object.keys(passages as object).sort()).toEqual(['a-early', 'v-01', 'v-03', 'v-04', 'v-05']);
    expect(passages).toMatchObject({ 'v-01': 'edited' });
    expect(columns).not.toContain('content');
    expect((await kind.verify?.(input, context))?.[0]).toMatchObject({ check: 'version-equal', status: 'passed' });
    await vectors.users({ do: 'append', path: name, ids: ['after'] });
    expect((await kind.verify?.(input, context))?.[0]).toMatchObject({ check: 'version-equal', status: 'failed' });
  });

  it('names a dataset that is locked, and one that is corrupt, and works on with the others', async () => {
    const log = join(vectors.root, name, '_deeplake_log');
    const locks = (await readdir(log, { recursive: true })).filter((file) => file.endsWith('.lock'));
    const holder = spawn('flock', ['-x', join(log, locks[0] ?? ''), 'sleep', '60'], { detached: true });
    await once(holder, 'spawn');
    const kind = kindOf(system, 'deeplake.add-field');
    const locked = await failureOf(async () => {
      for (;;)
        await performAll(
          kind,
          { ...fieldInput, datasets: name, field: `f${Date.now()}` },
          stepContext({ runId: `l${Date.now()}` }),
          5,
        );
    });
    expect([locked.code, locked.message]).toEqual([
      'environment-busy',
      `vectors: ${name} is locked by another process.`,
    ]);
    process.kill(-(holder.pid ?? 0));
    await once(holder, 'close');

    for (const file of await readdir(join(vectors.root, other), { recursive: true, withFileTypes: true })) {
      if (file.isFile() && !file.parentPath.includes('_deeplake_log')) await unlink(join(file.parentPath, file.name));
    }
    const findings = await system.preflight?.({ uses: [], bytes: 1 });
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'datasets-sound', status: 'failed', samples: [expect.stringContaining(other)] }),
    );
    expect((await need(system, 'lookup')({ collection: name, by: 'id', fields: ['id'] }, ['v-01'])).size).toBe(1);
  });

  it('names a dataset with a damaged log, and one whose damage ends the worker', async () => {
    const damage = async (dataset: string, ofLog: boolean): Promise<void> => {
      for (const file of await readdir(join(vectors.root, dataset), { recursive: true, withFileTypes: true })) {
        const path = join(file.parentPath, file.name);
        if (!file.isFile() || path.includes('_deeplake_log') !== ofLog) continue;
        if (!ofLog || path.endsWith('.lz4')) await writeFile(path, 'xx');
      }
    };
    await damage(name, true);
    await damage(other, false);
    const findings = await system.preflight?.({ uses: [], bytes: 1 });
    const sound = findings?.find(({ check }) => check === 'datasets-sound');
    expect(sound).toMatchObject({ status: 'failed', count: 2 });
    expect(sound?.samples.join(' ')).toContain(name);
    expect(sound?.samples.join(' ')).toContain(other);
    expect((await system.checkHealth()).up).toBe(true);
  });
});
