import type { OpenFinding } from '../notices/notice.ts';
import type { Finding } from '../systems/finding.ts';

export interface Comparison {
  readonly fresh: readonly OpenFinding[];
  readonly still: readonly OpenFinding[];
  readonly fixed: readonly OpenFinding[];
}

/** Findings of a run that are not as they should be; two of one check are told apart by their titles. `detailed`: with samples and advice. */
export function openFindings(findings: readonly Finding[], runId: string, detailed: boolean): readonly OpenFinding[] {
  const open = new Map<string, OpenFinding>();
  for (const { check, title, status, count, samples, advice } of findings) {
    if (status !== 'failed' && status !== 'warning') continue;
    const key = open.has(check) ? `${check}: ${title}` : check;
    const detail = [samples.join(', '), advice ?? ''].filter((text) => text !== '').join('. ');
    const more = detailed && detail !== '' ? { detail } : {};
    open.set(key, { key, title, status, count: count ?? 0, since: runId, ...more });
  }
  return [...open.values()];
}

/** What is new, what stays, and what was fixed since the report before. Each finding is in one of the three. */
export function compareFindings(before: readonly OpenFinding[], now: readonly OpenFinding[]): Comparison {
  const old = new Map(before.map((finding) => [finding.key, finding]));
  const keys = new Set(now.map(({ key }) => key));
  return {
    fresh: now.filter(({ key }) => !old.has(key)),
    still: now.flatMap((finding) => {
      const known = old.get(finding.key);
      return known === undefined ? [] : [{ ...finding, since: known.since }];
    }),
    fixed: before.filter(({ key }) => !keys.has(key)),
  };
}
