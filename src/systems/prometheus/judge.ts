import type { Finding } from '../finding.ts';
import { sayNumber } from './values.ts';

export interface Judged {
  readonly id: string;
  readonly title: string;
  readonly worse: 'higher' | 'lower';
  readonly tolerancePercent: number;
  readonly floor?: number | undefined;
}

type Measured = { readonly mean: number } | { readonly why: string };

/** Whether a metric got worse by more than is tolerated; without data on either side that is not known. */
export function judge(metric: Judged, before: Measured, after: Measured): Finding {
  const { id: check, title } = metric;
  for (const [side, when] of [
    [before, 'before'],
    [after, 'after'],
  ] as const) {
    if ('why' in side) {
      return { check, title, status: 'skipped', count: null, samples: [], advice: `${side.why} of the time ${when}.` };
    }
  }
  const [was, is] = [(before as { mean: number }).mean, (after as { mean: number }).mean];
  const told = `${title}: ${sayNumber(was)} before, ${sayNumber(is)} after`;
  if (!isWorse(metric, was, is)) return { check, title: told, status: 'passed', count: 0, samples: [] };
  const advice = `It is ${metric.worse} by more than the tolerated ${metric.tolerancePercent} %.`;
  return { check, title: told, status: 'failed', count: 1, samples: [], advice };
}

function isWorse({ worse, tolerancePercent, floor }: Judged, before: number, after: number): boolean {
  const tolerated = (Math.abs(before) * tolerancePercent) / 100;
  if (worse === 'higher') return after > before + tolerated && (floor === undefined || after > floor);
  return after < before - tolerated && (floor === undefined || after < floor);
}
