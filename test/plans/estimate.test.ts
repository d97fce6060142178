import { estimateStep, type MeasuredRate, sumEstimates } from '../../src/plans/estimate.ts';
import { sampleStep } from '../sample-run.ts';

const rate = (over: Partial<MeasuredRate> = {}): MeasuredRate => ({
  environment: 'staging',
  system: 'graph',
  use: 'neo4j.set-properties',
  mode: 'perform',
  steps: 2,
  records: 10_000,
  seconds: 20,
  ...over,
});
const step = sampleStep({ id: 'data.fill', count: 40_000 });

describe('the estimate of a step', () => {
  it.each<[string, readonly MeasuredRate[], { seconds: number; from: string } | null]>([
    ['is measured by records', [rate()], { seconds: 80, from: 'measured' }],
    [
      'prefers this environment to others',
      [rate({ environment: 'other', seconds: 1 }), rate()],
      { seconds: 80, from: 'measured' },
    ],
    [
      'takes another environment where this one has none',
      [rate({ environment: 'other', seconds: 10 })],
      { seconds: 40, from: 'measured' },
    ],
    ['is guessed from the kind where nothing was measured', [], { seconds: 20, from: 'guessed' }],
    ['is not measured by another kind', [rate({ use: 'neo4j.create-nodes' })], { seconds: 20, from: 'guessed' }],
    ['is not measured by an undo', [rate({ mode: 'undo' })], { seconds: 20, from: 'guessed' }],
    ['is not measured by another system', [rate({ system: 'records' })], { seconds: 20, from: 'guessed' }],
    ['is not measured by a handful of records', [rate({ records: 9 })], { seconds: 20, from: 'guessed' }],
    [
      'takes others where here was a handful only',
      [rate({ records: 9 }), rate({ environment: 'other', records: 20_000, seconds: 20 })],
      { seconds: 80, from: 'measured' },
    ],
  ])('%s', (_what, rates, expected) => {
    expect(estimateStep(step, rates, 'staging')).toEqual(expected);
  });

  it('of what counts a handful is the time that it took', () => {
    const index = sampleStep({ id: 'i', use: 'postgres.create-index', system: 'records', count: 1 });
    const rates = [rate({ use: 'postgres.create-index', system: 'records', steps: 2, records: 2, seconds: 60 })];
    expect(estimateStep(index, rates, 'staging')).toEqual({ seconds: 30, from: 'measured' });
  });

  it('of a backup, which counts nothing beforehand, is the time that it took for that system; unmeasured there is none', () => {
    const backup = sampleStep({
      id: 'b',
      system: null,
      use: 'backup.take-part',
      effect: 'reads',
      count: 0,
      input: { setId: 'x', system: 'graph' },
    });
    const taken = rate({ use: 'backup.take-part', steps: 4, records: 80_000, seconds: 48 });
    expect(estimateStep(backup, [taken, { ...taken, system: 'records', seconds: 4 }], 'staging')).toEqual({
      seconds: 12,
      from: 'measured',
    });
    expect(estimateStep(backup, [], 'staging')).toBeNull();
  });

  it('is never nothing for what changes something', () => {
    expect(estimateStep({ ...step, count: 0 }, [], 'staging')).toEqual({ seconds: 1, from: 'guessed' });
  });
});

describe('the sum of estimates', () => {
  it('is measured only where all of it is, and leaves out what is not known', () => {
    const measured = { seconds: 2, from: 'measured' } as const;
    expect(sumEstimates([measured, null, measured])).toEqual({ seconds: 4, from: 'measured' });
    expect(sumEstimates([measured, { seconds: 1, from: 'guessed' }])).toEqual({ seconds: 3, from: 'guessed' });
    expect(sumEstimates([null])).toBeNull();
  });
});
