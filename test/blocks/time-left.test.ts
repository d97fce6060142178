import fc from 'fast-check';
import { sayTimeLeft, stepLeft, timeLeft } from '../../blocks/time-left.ts';
import type { Estimate } from '../../src/plans/plan.ts';
import { sampleNow, samplePlan, sampleRun, sampleStep } from '../sample-run.ts';

const minute = 60_000;
const later = (milliseconds: number): Date => new Date(sampleNow.getTime() + milliseconds);

const estimates = fc.record({
  seconds: fc.double({ min: 0.1, max: 100_000, noNaN: true }),
  from: fc.constantFrom('measured' as const, 'guessed' as const),
});
const paces = fc.constantFrom(0.125, 0.25, 0.5, 1, 2, 4);

const waiting = (estimate: Estimate | null, pace = 1) =>
  stepLeft({ count: 1_000, exact: true, estimate }, null, sampleNow, pace);

/** A step that goes at an even rate, so long after its start. */
function going(count: number, takes: number, gone: number, estimate: Estimate | null) {
  const done = Math.min(count, Math.floor((count * gone) / takes));
  const startedAt = sampleNow.toISOString();
  return stepLeft(
    { count, exact: true, estimate },
    { state: 'running', done, kept: 0, missing: 0, startedAt },
    later(gone),
    1,
  );
}

describe('the time that is left', () => {
  it('of a step to come lies around its estimate, and a guess is wider than a measure', () => {
    fc.assert(
      fc.property(estimates, paces, ({ seconds, from }, pace) => {
        const { least, most } = waiting({ seconds, from }, pace);
        expect(least).toBeLessThan(seconds * 1000);
        expect(most).toBeGreaterThan(seconds * 1000);
        const [measured, guessed] = [
          waiting({ seconds, from: 'measured' }, pace),
          waiting({ seconds, from: 'guessed' }, pace),
        ];
        expect(guessed.least).toBeLessThan(measured.least);
        expect(guessed.most).toBeGreaterThan(measured.most ?? Number.POSITIVE_INFINITY);
      }),
    );
  });

  it('of a step at an even rate holds the truth, whatever was estimated', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 1_000_000 }),
        fc.integer({ min: 10_000, max: 10_000_000 }),
        fc.double({ min: 0.1, max: 0.95, noNaN: true }),
        fc.option(estimates),
        (count, takes, part, estimate) => {
          const gone = Math.floor(takes * part);
          const { least, most } = going(count, takes, gone, estimate);
          expect(least).toBeLessThanOrEqual(takes - gone);
          expect(most).toBeGreaterThanOrEqual(takes - gone);
        },
      ),
    );
  });

  it('is never less than nothing, and its end never before its beginning', () => {
    const counts = fc.integer({ min: 0, max: 100_000 });
    fc.assert(
      fc.property(
        counts,
        counts,
        counts,
        fc.integer({ min: 0, max: 10 ** 9 }),
        fc.option(estimates),
        paces,
        fc.boolean(),
        (count, done, kept, gone, estimate, pace, exact) => {
          const startedAt = sampleNow.toISOString();
          const progress = { state: 'running' as const, done, kept, missing: 0, startedAt };
          const { least, most } = stepLeft({ count, exact, estimate }, progress, later(gone), pace);
          expect(least).toBeGreaterThanOrEqual(0);
          if (most !== null) expect(most).toBeGreaterThanOrEqual(least);
        },
      ),
    );
  });

  it('is unknown for a step that outlives its estimate, and for one that has none', () => {
    const startedAt = sampleNow.toISOString();
    const silent = { state: 'running' as const, done: 0, kept: 0, missing: 0, startedAt };
    const step = { count: 10, exact: true, estimate: { seconds: 60, from: 'measured' as const } };
    expect(stepLeft(step, silent, later(minute / 2), 1)).toEqual({ least: 6_000, most: 66_000 });
    expect(stepLeft(step, silent, later(10 * minute), 1)).toEqual({ least: 0, most: null });
    expect(waiting(null)).toEqual({ least: 0, most: null });
  });

  it('of a run is the sum of its steps, and nothing where it stands still or nothing is known', () => {
    const estimate = { seconds: 100, from: 'measured' as const };
    const stages = [
      {
        id: 'a',
        title: 'A',
        always: false,
        steps: [sampleStep({ id: 'a.1', estimate }), sampleStep({ id: 'a.2', estimate })],
      },
    ];
    const run = sampleRun({ status: 'running', plan: samplePlan({ stages }) });
    expect(timeLeft(run, sampleNow)).toEqual({ least: 120_000, most: 320_000 });
    expect(timeLeft({ ...run, status: 'paused' }, sampleNow)).toBeNull();
    expect(timeLeft(sampleRun({ status: 'running' }), sampleNow)).toBeNull();
    const over = run.steps.map((step) => ({ ...step, state: 'done' as const }));
    expect(timeLeft({ ...run, steps: over }, sampleNow)).toBeNull();
  });
});

describe('the words for it', () => {
  it.each([
    [{ least: 3.2 * minute, most: 4.5 * minute }, '3–5 min left'],
    [{ least: 20_000, most: 50_000 }, 'under 1 min left'],
    [{ least: 3 * minute, most: null }, 'at least 3 min left'],
    [{ least: 30_000, most: null }, ''],
    [{ least: 12 * minute, most: 31 * minute }, '10–35 min left'],
    [{ least: 2.4 * 60 * minute, most: 5 * 60 * minute }, '2–5 h left'],
    [{ least: 2 * minute, most: 2 * minute }, 'about 2 min left'],
    [null, ''],
  ])('of %j are “%s”', (left, words) => {
    expect(sayTimeLeft(left)).toBe(words);
  });

  it('promise neither an earlier nor a later end than what they stand for', () => {
    const time = fc.integer({ min: 0, max: 10 ** 9 });
    fc.assert(
      fc.property(time, time, (one, other) => {
        const [least, most] = [Math.min(one, other), Math.max(one, other)];
        fc.pre(most > 0);
        const said = /^(?:(under|about) )?(?:(\d+)–)?(\d+) (min|h) left$/.exec(sayTimeLeft({ least, most }));
        const unit = said?.[4] === 'h' ? 60 * minute : minute;
        const high = Number(said?.[3]) * unit;
        const low = said?.[1] === 'under' ? 0 : said?.[2] === undefined ? high : Number(said[2]) * unit;
        expect(low).toBeLessThanOrEqual(least);
        expect(high).toBeGreaterThanOrEqual(most);
      }),
    );
  });
});
