import fc from 'fast-check';
import { fitAround, stagesOf, timelineLine } from '../../blocks/timeline.ts';
import type { Run, StepProgress, StepState } from '../../src/runs/run.ts';
import { sampleNow, samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { hostileRun } from './hostile-run.ts';

const at = (seconds: number): string => new Date(sampleNow.getTime() + seconds * 1000).toISOString();

/** A run whose stages are in these states, two steps each; what is done took so many seconds. */
function runOf(stages: readonly (readonly [string, StepState, number?])[]): Run {
  const plan = samplePlan({
    stages: stages.map(([title], index) => ({
      id: `s${index}`,
      title,
      always: false,
      steps: [sampleStep({ id: `s${index}.a` }), sampleStep({ id: `s${index}.b` })],
    })),
  });
  const run = sampleRun({ status: 'running', plan });
  const progressOf = (step: StepProgress, index: number): StepProgress => {
    const [, state = 'waiting', seconds = 0] = stages[Math.floor(index / 2)] ?? [];
    if (state === 'waiting' || state === 'skipped') return { ...step, state };
    const endedAt = state === 'done' ? at(index % 2 === 0 ? seconds / 2 : seconds) : null;
    return { ...step, state, startedAt: at(index % 2 === 0 ? 0 : seconds / 2), endedAt };
  };
  return { ...run, steps: run.steps.map(progressOf) };
}

describe('the stages of a run', () => {
  it('stand in one line, with how long each took', () => {
    const run = runOf([
      ['before', 'done', 12],
      ['backup', 'done', 40],
      ['data', 'running'],
      ['verify', 'waiting'],
    ]);
    expect(timelineLine(run)).toBe('✓ before 12 s → ✓ backup 40 s → ▶ data → · verify');
  });

  it('have marks for what failed and what was skipped; one alone says nothing', () => {
    expect(
      timelineLine(
        runOf([
          ['backup', 'skipped'],
          ['data', 'failed'],
          ['verify', 'waiting'],
        ]),
      ),
    ).toBe('∅ backup → ✗ data → · verify');
    expect(timelineLine(runOf([['data', 'running']]))).toBe('');
  });

  it('are running between two of their steps', () => {
    const run = runOf([
      ['data', 'done', 4],
      ['verify', 'waiting'],
    ]);
    const [first, ...others] = run.steps;
    const between = {
      ...run,
      steps: [{ ...(first as StepProgress) }, ...others.map((step) => ({ ...step, state: 'waiting' as const }))],
    };
    expect(stagesOf(between).map(({ state }) => state)).toEqual(['running', 'waiting']);
  });

  it('are those around the one that is next where there are many', () => {
    const states = (index: number): StepState => (index < 8 ? 'done' : index === 8 ? 'running' : 'waiting');
    const line = timelineLine(
      runOf(Array.from({ length: 20 }, (_, index) => [`phase ${index}`, states(index), 61] as const)),
    );
    expect(line).toMatch(
      /^\+6 before → ✓ phase 6 1 min 1 s → ✓ phase 7 1 min 1 s → ▶ phase 8 → · phase 9 → · phase 10 → \+9 after$/,
    );
    expect(line.length).toBeLessThan(120);
  });

  it('stay short whatever they are called', () => {
    const line = timelineLine(hostileRun({ status: 'running' }));
    expect([...line].length).toBeLessThan(250);
    expect(line).not.toMatch(/<!|<@|\n/);
  });

  it('are cut to what there is room for: the current one always, no neighbour that still fits is left out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.integer({ min: 1, max: 200 }),
        (sizes, seed, most) => {
          const current = seed % sizes.length;
          const { from, until } = fitAround(sizes, current, most);
          const sum = (some: readonly number[]): number => some.reduce((total, size) => total + size, 0);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(until).toBeLessThanOrEqual(sizes.length);
          expect(current >= from && current < until).toBe(true);
          const used = sum(sizes.slice(from, until));
          if (until - from > 1) expect(used).toBeLessThanOrEqual(most);
          for (const next of [sizes[from - 1], sizes[until]])
            if (next !== undefined) expect(used + next).toBeGreaterThan(most);
        },
      ),
    );
  });
});
