import type { Finding } from '../src/systems/finding.ts';
import { cut } from './cut.ts';
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

/**
 * At most `most` findings that did not pass, failed ones first, then a line with how many more there are. `short`: samples and
 * advice cut, so that many fit on a card.
 */
export function openFindingLines(findings: readonly Finding[], most: number, short: boolean): string[] {
  const open = (['failed', 'warning', 'skipped'] as const).flatMap((status) =>
    findings.filter((finding) => finding.status === status),
  );
  const lines = open.slice(0, most).flatMap((finding) => findingLines(short ? shortened(finding) : finding));
  const left = open.slice(most);
  return left.length === 0 ? lines : [...lines, `… and ${findingTally(left)} more`];
}

function shortened({ advice, ...finding }: Finding): Finding {
  const brief = advice === undefined || finding.status !== 'failed' ? {} : { advice: cut(advice, 140) };
  const skipped = finding.status === 'skipped' && advice !== undefined ? { advice: cut(advice, 100) } : {};
  const samples = finding.samples.slice(0, 2).map((sample) => cut(sample, 60));
  return { ...finding, title: cut(finding.title, 120), samples, ...brief, ...skipped };
}

/** `3 ✓ · 1 ✗ · 1 ⚠ · 1 ∅`, without the marks that do not occur. */
export function findingTally(findings: readonly Finding[]): string {
  const parts = (['passed', 'failed', 'warning', 'skipped'] as const).map((status) => {
    const count = findings.filter((finding) => finding.status === status).length;
    return count === 0 ? null : `${count} ${findingMarks[status]}`;
  });
  return parts.filter((part) => part !== null).join(' · ');
}
