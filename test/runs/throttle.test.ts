import fc from 'fast-check';
import { nextSize } from '../../src/runs/perform-step.ts';
import { paces, readStrain, restAfter, targetMs } from '../../src/runs/throttle.ts';
import { createLogger } from '../../src/shared/logger.ts';
import type { Load, System } from '../../src/systems/system.ts';

const logger = createLogger('silent');
const ms = fc.double({ min: 0, max: 60_000, noNaN: true });
const strain = fc.double({ min: 0, max: 1, noNaN: true });
const pace = fc.constantFrom(...paces);

describe('the rest between two batches', () => {
  it('is none at the usual pace over stores that have little to do', () => {
    for (const each of [1, 2, 4]) expect(restAfter(1_000, each, 0.7)).toBe(0);
  });

  it.each([
    [1_000, 0.5, 0, 1_000],
    [1_000, 0.25, 0, 3_000],
    [1_000, 1, 0.85, 1_500],
    [1_000, 1, 1, 3_000],
    [1_000, 0.125, 1, 7_000],
    [60_000, 0.125, 0, 30_000],
  ])('after %d ms at pace %d and strain %d is %d ms', (last, at, strained, rest) => {
    expect(restAfter(last, at, strained)).toBeCloseTo(rest);
  });

  it('never shrinks when stores are more strained or people want it slower', () => {
    fc.assert(
      fc.property(ms, strain, strain, pace, pace, (last, s1, s2, p1, p2) => {
        expect(restAfter(last, p1, Math.max(s1, s2))).toBeGreaterThanOrEqual(restAfter(last, p1, Math.min(s1, s2)));
        expect(restAfter(last, Math.min(p1, p2), s1)).toBeGreaterThanOrEqual(restAfter(last, Math.max(p1, p2), s1));
        expect(restAfter(last, p1, s1)).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  it('goes with smaller batches when it is slow, and greater ones when it is fast', () => {
    expect(paces.map(targetMs)).toEqual([250, 250, 500, 1_000, 2_000, 4_000]);
    for (const each of paces) {
      let size = 2_000;
      for (let i = 0; i < 12; i += 1) size = nextSize(size, size * 0.5, targetMs(each));
      expect(size * 0.5).toBeGreaterThanOrEqual(targetMs(each) / 2);
      expect(size * 0.5).toBeLessThanOrEqual(targetMs(each) * 2);
    }
  });
});

describe('how loaded the stores are', () => {
  const store = (name: string, load: () => Promise<Load>): System => ({ name, load }) as unknown as System;
  const at = (time: number) => ({ now: () => new Date(time) });

  it('is what the most strained says, with its name', async () => {
    const stores = [
      store('graph', async () => ({ strain: 0.8, why: 'long transactions' })),
      store('relational', async () => ({ strain: 1.2, why: '3 sessions wait for locks' })),
    ];
    expect(await readStrain(stores, 5_000, at(0), logger)).toEqual({
      strain: 1.2,
      why: '3 sessions wait for locks in relational',
    });
    expect(await readStrain([], 5_000, at(0), logger)).toEqual({ strain: 0, why: null });
  });

  it('is asked once in five seconds, whatever the number of runs', async () => {
    let asked = 0;
    const one = store('graph', async () => {
      asked += 1;
      return { strain: 0, why: null };
    });
    for (const time of [0, 0, 4_999, 5_000, 9_999]) await readStrain([one], 5_000, at(time), logger);
    expect(asked).toBe(2);
  });

  it('is nothing for a store that fails or cannot say, which is logged once', async () => {
    const logged: unknown[] = [];
    const noting = Object.assign(Object.create(logger), { warn: (entry: unknown) => logged.push(entry) });
    const broken = store('graph', async () => {
      throw new Error('no rights');
    });
    const mute = { name: 'objects' } as unknown as System;
    for (const time of [0, 10_000, 20_000]) {
      expect(await readStrain([broken, mute], 5_000, at(time), noting)).toEqual({ strain: 0, why: null });
    }
    expect(logged).toHaveLength(1);
  });
});
