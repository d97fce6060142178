import type { Advice, RestoreWay, RewoundSystem, UndoneSystem, UndoWay } from '../src/runs/advice.ts';
import { recommend } from '../src/runs/recommend.ts';
import { sampleRun, sampleStep } from './sample-run.ts';

/** Advice as the door gives it, for tests of what people see and of the recommendation. */
export function undoneSystem(over: Partial<UndoneSystem> = {}): UndoneSystem {
  return {
    system: 'graph',
    restored: 17_387,
    exact: true,
    kept: { counts: { 'changed-since': 3, 'referred-to': 1 }, samples: ['Notebook nb-1 title: changed-since'] },
    keptKnown: true,
    samples: sampleStep({ id: 'undo.fill' }).samples,
    ...over,
  };
}

export function undoWay(over: Partial<UndoWay> = {}): UndoWay {
  return {
    open: true,
    estimate: { seconds: 42, from: 'measured' },
    systems: [undoneSystem()],
    restored: 17_387,
    kept: 4,
    heldUntil: null,
    ...over,
  };
}

export function rewoundSystem(over: Partial<RewoundSystem> = {}): RewoundSystem {
  return {
    system: 'graph',
    loses: 'yes',
    collections: [{ collection: 'Notebook', inSet: 1_000, now: 1_003 }],
    addedByRun: 0,
    changedSince: 4,
    samples: ['Notebook nb-1 title: changed-since'],
    unknown: 'changes in place to what the run did not write cannot be counted; a restore would lose those too',
    ...over,
  };
}

export function restoreWay(over: Partial<RestoreWay> = {}): RestoreWay {
  return {
    set: {
      id: 'bak-20261120-095500-4f2a',
      environment: 'sandbox',
      createdAt: '2026-11-20T09:55:00.000Z',
      bytes: 74_000_000,
      systems: ['graph', 'records'],
      proven: null,
    },
    own: true,
    estimate: { seconds: 95, from: 'guessed' },
    systems: [
      rewoundSystem(),
      rewoundSystem({ system: 'records', loses: 'no', collections: [], changedSince: 0, unknown: null, samples: [] }),
    ],
    rewinds: [],
    loses: 'yes',
    ...over,
  };
}

export function sampleAdvice(over: Partial<Advice> = {}): Advice {
  const undo = over.undo ?? undoWay();
  const restores = over.restores ?? [restoreWay()];
  return {
    run: sampleRun({ status: 'done', startedAt: '2026-11-20T09:54:00.000Z', endedAt: '2026-11-20T09:58:00.000Z' }),
    undo,
    restores,
    references: [
      {
        field: { system: 'graph', collection: 'User', field: 'personal_tenant_id' },
        count: 1,
        samples: ['tenant_1700000000000001'],
      },
    ],
    recommended: recommend({ undo, restores }),
    ...over,
  };
}
