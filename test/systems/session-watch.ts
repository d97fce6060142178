import type { Failure } from '../../src/shared/failure.ts';
import type { System } from '../../src/systems/system.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from './step-contexts.ts';

/** A store that somebody else can use. */
export interface UsedStore {
  readonly system: System;
  /** The same store as another process has it. */
  another(): System;
  /** Opens a session that stays open until the answer is called. */
  use(application: string): Promise<() => Promise<void>>;
}

const step = { runId: 'run-1', stepId: 'data.step' };

/** What both stores' waiting for nobody has to keep, on the real server. */
export function describeSessionWatch(kindName: string, make: () => Promise<UsedStore>): void {
  let store: UsedStore;
  const ends: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    store = await make();
  });

  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });

  const use = async (application: string): Promise<() => Promise<void>> => {
    const end = await store.use(application);
    ends.push(end);
    return async () => {
      ends.splice(ends.indexOf(end), 1);
      await end();
    };
  };
  const kind = () => kindOf(store.system, kindName);
  const input = (over: object = {}) => kind().input.parse({ within: '20s', ...over });
  const perform = (over: object = {}) => performAll(kind(), input(over), stepContext(step), 10);

  it('waits while somebody else has a session and says who, then goes on and watches', async () => {
    const leave = await use('billing');
    const first = await kind().performBatch(input(), { index: 0, cursor: null, done: 0, size: 10 }, stepContext(step));
    expect(first.note).toMatch(/still used: 1 session of billing \(user \w+\); gives up in 1\d s/);
    expect(first.cursor).toEqual({ waitedMs: expect.any(Number) });
    expect(await store.system.intrusions?.(['run-1'])).toEqual([]);
    await leave();
    const next = { index: 1, cursor: first.cursor, done: 0, size: 10 };
    expect(await kind().performBatch(input(), next, stepContext(step))).toEqual({ cursor: null, done: 1 });
    // As after a crash: the same batch again, by another process.
    const again = kindOf(store.another(), kindName);
    expect(await again.performBatch(input(), next, stepContext(step))).toEqual({ cursor: null, done: 1 });
    expect(await store.system.intrusions?.(['run-1'])).toEqual([]);
  });

  it('fails as timed out when they do not go, and names them', async () => {
    await use('billing');
    const failure = (await perform({ within: '1s' }).catch((error: unknown) => error)) as Failure;
    expect(failure).toMatchObject({ code: 'timed-out', retryable: true });
    expect(failure.message).toContain('1 session of billing');
  });

  it('tells who comes back, for this run only, until its undo, and again when the undo is undone', async () => {
    await perform();
    await use('billing');
    const found = [expect.stringMatching(/is used: 1 session of billing/)];
    expect(await store.system.intrusions?.(['run-1'])).toEqual(found);
    expect(await store.another().intrusions?.(['undo-1', 'run-1'])).toEqual(found);
    expect(await store.system.intrusions?.(['run-2'])).toEqual([]);

    const undo = undoContext(step, { runId: 'undo-1' });
    expect(await kind().previewUndo?.(input(), undo)).toMatchObject({ count: 1 });
    expect(await undoAll(kind(), input(), undo)).toEqual([{ cursor: null, done: 1, kept: 0, missing: 0 }]);
    expect(await undoAll(kind(), input(), undo)).toEqual([{ cursor: null, done: 1, kept: 0, missing: 0 }]);
    expect(await store.system.intrusions?.(['undo-1', 'run-1'])).toEqual([]);

    const redo = undoContext({ runId: 'undo-1', stepId: 'data.step' }, { runId: 'redo-1' });
    await undoAll(kind(), input(), redo);
    expect(await store.system.intrusions?.(['redo-1', 'undo-1'])).toEqual(found);
  });

  it('lets what is named stay, and does not count the bot itself', async () => {
    await Promise.all([store.system.checkHealth(), store.another().checkHealth(), store.another().checkHealth()]);
    await use('metrics-exporter');
    expect(await perform({ except: ['metrics-exporter'], within: '2s' })).toEqual([{ cursor: null, done: 1 }]);
    expect(await store.system.intrusions?.(['run-1'])).toEqual([]);
  });

  it('shows in the preview who is there now, and writes nothing for it', async () => {
    const before = await store.system.fingerprint?.();
    await use('billing');
    const preview = await kind().preview(input(), stepContext(step));
    expect(preview).toMatchObject({ count: 1, undoClass: 'reversible', findings: [{ status: 'warning', count: 1 }] });
    await perform({ except: ['billing'] });
    expect(await store.system.fingerprint?.()).toEqual(before);
  });

  it('does not watch for a process that has lost the environment', async () => {
    await store.system.advanceFence?.({ environment: 'test', token: 9 });
    await expect(perform()).rejects.toMatchObject({ code: 'fenced' });
    await use('billing');
    expect(await store.system.intrusions?.(['run-1'])).toEqual([]);
  });
}
