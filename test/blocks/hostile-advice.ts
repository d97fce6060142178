import type { Advice } from '../../src/runs/advice.ts';
import { restoreWay, rewoundSystem, undoneSystem, undoWay } from '../sample-advice.ts';
import { hostile, hostileRun } from './hostile-run.ts';

const field = { system: hostile, collection: hostile, field: hostile };
const samples = Array.from({ length: 5 }, () => hostile);

/** Advice over many systems and sets, as an enemy would name them. */
export const hostileAdvice: Advice = {
  run: hostileRun({ status: 'done' }),
  undo: undoWay({
    heldUntil: hostile,
    restored: 9_999_999_999,
    kept: 9_999_999_999,
    systems: Array.from({ length: 30 }, () =>
      undoneSystem({
        system: hostile,
        kept: { counts: { 'changed-since': 1, 'referred-to': 2, 'value-taken': 3, missing: 4, coupled: 5 }, samples },
        samples: samples.map(() => ({ collection: hostile, key: hostile, before: { [hostile]: hostile }, after: {} })),
      }),
    ),
  }),
  restores: Array.from({ length: 3 }, () => {
    const way = restoreWay({
      rewinds: Array.from({ length: 50 }, () => hostile),
      systems: Array.from({ length: 30 }, () =>
        rewoundSystem({
          system: hostile,
          unknown: hostile,
          samples,
          collections: Array.from({ length: 30 }, () => ({ collection: hostile, inSet: 1, now: 2 })),
        }),
      ),
    });
    return { ...way, set: { ...way.set, id: hostile, createdAt: hostile, proven: { at: hostile, seconds: 1e9 } } };
  }),
  references: Array.from({ length: 60 }, () => ({ field, count: 9, samples })),
  recommended: { way: 'restore', setId: hostile, reason: `${hostile} \`${hostile}\`` },
};
