import type { Finding } from '../src/systems/finding.ts';
import { code, plain } from './escape.ts';
import { findingMarks, sayCount } from './say.ts';

/** A finding as lines: `✗ No two users share a tenant: 1,204` and below it samples and advice. */
export function findingLines(finding: Finding): string[] {
  const { status, count, samples, advice } = finding;
  const counted = count !== null && count > 0 ? `: *${sayCount(count)}*` : '';
  const skipped = status === 'skipped' && advice !== undefined ? ` — ${plain(advice)}` : '';
  const shown = samples.slice(0, 5).map((sample) => code(sample, 100));
  return [
    `${findingMarks[status]} ${plain(finding.title, 200)}${counted}${skipped}`,
    ...(shown.length === 0 || status === 'passed' ? [] : [`    ${shown.join(', ')}`]),
    ...(advice === undefined || status === 'skipped' || status === 'passed' ? [] : [`    ${plain(advice)}`]),
  ];
}

/** `3 ✓ · 1 ✗ · 1 ⚠ · 1 ∅`, without the marks that do not occur. */
export function findingTally(findings: readonly Finding[]): string {
  const parts = (['passed', 'failed', 'warning', 'skipped'] as const).map((status) => {
    const count = findings.filter((finding) => finding.status === status).length;
    return count === 0 ? null : `${count} ${findingMarks[status]}`;
  });
  return parts.filter((part) => part !== null).join(' · ');
}
