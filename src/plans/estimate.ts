import type { Effect } from '../systems/system.ts';
import type { Estimate, PlanStep, StepMode } from './plan.ts';

/** What steps of one kind did in earlier runs of one environment. */
export interface MeasuredRate {
  readonly environment: string;
  /** The configured system that they worked on; null for what spans systems. */
  readonly system: string | null;
  readonly use: string;
  readonly mode: StepMode;
  readonly steps: number;
  /** Records that they wrote, kept or missed, in all. */
  readonly records: number;
  readonly seconds: number;
}

/** With fewer records than this a step's time is its start and its end, not its records: it says nothing of a rate. */
const leastRecords = 100;
/** A step's own bookkeeping (begin, end, a batch), in seconds. */
const leastSeconds = 0.2;

/**
 * Records a second with journal, for kinds that were never measured: low ones of what the bench saw on two shared cores, so
 * that a guess is rather too long than too short.
 */
const usualRates: Readonly<Record<string, number>> = { neo4j: 2_000, postgres: 3_000, minio: 50, backup: 5_000 };
const slowestRate = 500;
/** Kinds that handle each object by a request of its own copy more slowly than they tag. */
const usualRatesOfKinds: Readonly<Record<string, number>> = {
  'minio.copy-keys': 25,
  'minio.remove-keys': 50,
  'postgres.alembic': 100,
};

type Estimated = Pick<PlanStep, 'system' | 'use' | 'mode' | 'count' | 'effect' | 'input'>;

/** How long a step takes: measured in this environment, else in another, else guessed. Null: it reads and was never measured. */
export function estimateStep(step: Estimated, rates: readonly MeasuredRate[], environment: string): Estimate | null {
  const alike = rates.filter(
    (rate) => rate.use === step.use && rate.mode === step.mode && rate.system === systemOf(step) && rate.steps > 0,
  );
  const here = alike.filter((rate) => rate.environment === environment);
  return measured(step, here) ?? measured(step, alike) ?? guessed(step);
}

/** The sum; it counts as measured when all of it was. Null when nothing is estimated. */
export function sumEstimates(estimates: readonly (Estimate | null)[]): Estimate | null {
  const known = estimates.filter((estimate) => estimate !== null);
  if (known.length === 0) return null;
  return {
    seconds: known.reduce((sum, { seconds }) => sum + seconds, 0),
    from: known.every(({ from }) => from === 'measured') ? 'measured' : 'guessed',
  };
}

/** Kinds that span systems name theirs in the input. */
function systemOf(step: Estimated): string | null {
  if (step.system !== null) return step.system;
  const { input } = step;
  const named = typeof input === 'object' && input !== null && 'system' in input ? input.system : null;
  return typeof named === 'string' ? named : null;
}

function measured(step: Estimated, rates: readonly MeasuredRate[]): Estimate | null {
  const sum = (of: (rate: MeasuredRate) => number): number => rates.reduce((total, rate) => total + of(rate), 0);
  const steps = sum(({ steps }) => steps);
  if (steps === 0) return null;
  const seconds = sum((rate) => rate.seconds);
  const records = sum((rate) => rate.records);
  // What counts nothing beforehand (backups, indexes) takes about as long as it took.
  if (step.count === 0 || isSchema(step, records / steps)) return asMeasured(seconds / steps);
  if (records < leastRecords) return step.count < leastRecords ? asMeasured(seconds / steps) : null;
  return asMeasured((step.count * seconds) / records);
}

/** Both count a handful: constraints, columns, indexes. */
function isSchema(step: Estimated, recordsEach: number): boolean {
  return step.count < leastRecords && recordsEach < leastRecords;
}

const asMeasured = (seconds: number): Estimate => ({
  seconds: Math.max(leastSeconds, round(seconds)),
  from: 'measured',
});

function guessed(step: Estimated): Estimate | null {
  if (isReading(step.effect)) return null;
  const rate = usualRatesOfKinds[step.use] ?? usualRates[step.use.split('.')[0] ?? ''] ?? slowestRate;
  return { seconds: Math.max(1, round(step.count / rate)), from: 'guessed' };
}

const isReading = (effect: Effect): boolean => effect === 'reads';

const round = (seconds: number): number => Math.round(seconds * 10) / 10;
