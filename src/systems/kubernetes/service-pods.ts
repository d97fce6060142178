import { millisecondsOf } from '../../shared/duration-text.ts';
import type { Finding } from '../finding.ts';
import type { StepContext } from '../system.ts';
import { sayService, type Workload } from './workload.ts';

/** The run's start: its generated ids begin with it, in microseconds. With `last`, so long ago instead. */
export function sinceWhen({ sequenceBase }: Pick<StepContext, 'sequenceBase'>, last: string | undefined): Date {
  if (last !== undefined) return new Date(Date.now() - millisecondsOf(last));
  return new Date(Number(BigInt(sequenceBase) / 1000n));
}

/** `14:03:09` of that day, in UTC. */
export function sayTime(when: Date): string {
  return `${when.toISOString().slice(11, 19)} UTC`;
}

/** One service's finding; the check's id holds its name. */
export function serviceFinding(
  check: string,
  workload: Pick<Workload, 'namespace' | 'name'>,
  rest: Omit<Finding, 'check' | 'title'> & { readonly title: string },
): Finding {
  return { check: `${check}:${sayService(workload)}`, ...rest };
}

/** Whether one of these patterns fits. */
export function fitsAny(line: string, patterns: readonly RegExp[]): boolean {
  return patterns.some((pattern) => pattern.test(line));
}
