import type { Acknowledgement, EnvelopeType } from './delivery.ts';

/** How fast an app acknowledged, in milliseconds; those that came too late count with the time Slack waited. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** How many were not acknowledged in time. */
  readonly failed: number;
}

export function measureLatencies(log: readonly Acknowledgement[], type?: EnvelopeType): Latencies {
  const chosen = log.filter((entry) => type === undefined || entry.type === type);
  const sorted = chosen.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  const failed = chosen.filter(({ error }) => error !== null).length;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0, failed };
}
