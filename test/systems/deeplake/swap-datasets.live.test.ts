import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { System } from '../../../src/systems/system.ts';
import { need } from '../contract-subject.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';
import { idsOf, type ScratchVectors, scratchVectors } from './scratch-vectors.ts';

const name = 'tenants/tenant_1/default';
const next = `${name}.v2`;
const glob = 'tenants/*/default';
const swapInput = { datasets: glob, with: '.v2' };
const context = stepContext({ runId: 'swap' });
const undo = undoContext({ runId: 'swap', stepId: 'data.step' });

describe('deeplake.swap-datasets', () => {
  let vectors: ScratchVectors;
  let system: System;

  beforeEach(async () => {
    vectors = await scratchVectors();
    system = vectors.system();
    await vectors.users({ do: 'create', path: name, ids: idsOf(5), dimension: 8, tenant: 'tenant_1' });
  });

  afterEach(async () => {
    await system.close();
    await vectors.remove();
  });

  const makeNext = (): Promise<unknown> =>
    performAll(
      kindOf(system, 'deeplake.new-version'),
      { datasets: glob, suffix: '.v2' },
      stepContext({ runId: 'make' }),
      2,
    );
  const swap = (): Promise<unknown> => performAll(kindOf(system, 'deeplake.swap-datasets'), swapInput, context, 10);
  const counts = async (): Promise<unknown> => system.counts?.();

  it('leaves no moment without a dataset under the name, there and back', async () => {
    await makeNext();
    await vectors.users({ do: 'append', path: next, ids: ['only-new'] });
    const until = join(vectors.root, 'watched-enough');
    const watching = vectors.users({ do: 'watch', path: name, until });
    for (let round = 0; round < 6; round += 1) {
      const runId = `round-${round}`;
      await performAll(kindOf(system, 'deeplake.swap-datasets'), swapInput, stepContext({ runId }), 10);
      await undoAll(kindOf(system, 'deeplake.swap-datasets'), swapInput, undoContext({ runId, stepId: 'data.step' }));
    }
    await writeFile(until, '');
    const [watched] = (await watching) as [{ there: number; missed: string[]; counts: number[] }];
    expect(watched.there).toBeGreaterThan(20);
    expect(watched.missed).toEqual([]);
  });

  it('brings what was ingested meanwhile, then carries it back in the undo', async () => {
    await makeNext();
    await vectors.users({ do: 'append', path: name, ids: ['meanwhile'] }, { do: 'delete', path: name, id: 'v-05' });
    const before = await need(system, 'fingerprint')();
    await swap();
    expect(await counts()).toEqual({ [name]: 5 });
    expect(await vectors.users({ do: 'read', path: name, column: 'id' })).toEqual([
      expect.objectContaining({ meanwhile: 'meanwhile', 'v-01': 'v-01' }),
    ]);
    expect((await kindOf(system, 'deeplake.swap-datasets').verify?.(swapInput, context))?.[0]?.status).toBe('passed');

    await vectors.users({ do: 'append', path: name, ids: ['since'] }, { do: 'delete', path: name, id: 'v-01' });
    const results = await undoAll(kindOf(system, 'deeplake.swap-datasets'), swapInput, undo);
    expect(results).toEqual([{ cursor: null, done: 1, kept: 0, missing: 0 }]);
    const [ids] = (await vectors.users({ do: 'read', path: name, column: 'id' })) as [Record<string, string>];
    expect(Object.keys(ids).sort()).toEqual(['meanwhile', 'since', 'v-02', 'v-03', 'v-04']);
    expect(before.counts[name]).toBe(5);
  });

  it('keeps vectors that do not fit the old one in the new one, and tells each', async () => {
    await vectors.users({ do: 'create', path: next, ids: idsOf(5), dimension: 4, tenant: 'tenant_1' });
    await swap();
    await vectors.users({ do: 'append', path: name, ids: ['wide'] });
    const preview = await kindOf(system, 'deeplake.swap-datasets').previewUndo?.(swapInput, undo);
    expect(preview?.kept?.counts).toEqual({ 'changed-since': 1 });
    const results = await undoAll(kindOf(system, 'deeplake.swap-datasets'), swapInput, undo);
    expect(results[0]).toMatchObject({ done: 1, kept: 1 });
    expect(await system.journal?.conflicts(undo.runId, undo.stepId, 5)).toEqual([
      expect.objectContaining({ collection: name, key: 'wide', reason: 'changed-since' }),
    ]);
    expect(await counts()).toEqual({ [name]: 5, [next]: 6 });
  });

  it('goes on where it was killed: between the exchange and putting the old one aside', async () => {
    await makeNext();
    const kind = kindOf(system, 'deeplake.swap-datasets');
    const request = { index: 0, cursor: null, done: 0, size: 10 };
    const first = await kind.performBatch(swapInput, request, context);
    const done = await need(system, 'fingerprint')();
    const control = join(vectors.root, '.tas');
    const [step = ''] = await readdir(join(control, 'aside'));
    const [kept = ''] = await readdir(join(control, 'aside', step));
    await rename(join(control, 'aside', step, kept), join(vectors.root, next));
    await rm(join(control, 'batches/swap/data.step/000000000/done'));
    expect(await system.standing?.(['swap', 'another'])).toEqual([
      { what: `${name}: a swap is half done, the new version is under the name`, closes: true },
    ]);
    const other = vectors.system();
    expect(await kindOf(other, 'deeplake.swap-datasets').performBatch(swapInput, request, context)).toEqual(first);
    await other.close();
    expect(await need(system, 'fingerprint')()).toEqual(done);
    expect(await readdir(join(control, 'aside', step))).toEqual([kept]);
    expect(await system.standing?.(['swap'])).toEqual([]);
  });

  it('gives up the old version when the hold is over; then undo finds it missing and changes nothing', async () => {
    await makeNext();
    await swap();
    const kind = kindOf(system, 'deeplake.swap-datasets');
    const releasing = { ...stepContext({ runId: 'release' }), releases: { runId: 'swap', stepId: 'data.step' } };
    expect(await kind.previewRelease?.(swapInput, releasing)).toMatchObject({ count: 1, effect: 'destroys' });
    const released = await kind.releaseBatch?.(swapInput, { index: 0, cursor: null, done: 0, size: 5 }, releasing);
    expect(released).toEqual({ cursor: null, done: 1 });
    const after = await need(system, 'fingerprint')();
    expect(await undoAll(kind, swapInput, undo)).toEqual([expect.objectContaining({ done: 0, missing: 1 })]);
    expect(await need(system, 'fingerprint')()).toEqual(after);
  });

  it('refuses where a dataset has no new version, and one that lacks vectors which it cannot bring', async () => {
    const kind = kindOf(system, 'deeplake.swap-datasets');
    expect((await kind.preview(swapInput, context)).findings).toContainEqual(
      expect.objectContaining({ check: 'versions-there', status: 'failed', samples: [name] }),
    );
    await vectors.users({ do: 'create', path: next, ids: idsOf(3), dimension: 4, tenant: 'tenant_1' });
    await expect(swap()).rejects.toMatchObject({ code: 'precondition-failed' });
    expect(await counts()).toEqual({ [name]: 5, [next]: 3 });
  });
});
