import type { Run } from '../src/runs/run.ts';
import { sayDuration } from '../src/shared/duration.ts';
import { runLink } from './beside.ts';
import { mentionUser, plain } from './escape.ts';
import { findingLines, findingTally } from './findings.ts';
import { fitCard } from './fit.ts';
import { measureRun } from './measure.ts';
import { context, type Message, section, sections } from './message.ts';

/** One line a check: ✓, ✗ and ⚠ with counts and samples, ∅ with the reason; failed ones first. */
export function validationReport(run: Run, now: Date, link: string | null): Message {
  const order = ['failed', 'warning', 'skipped', 'passed'] as const;
  const sorted = order.flatMap((status) => run.findings.filter((finding) => finding.status === status));
  const failed = run.findings.filter((finding) => finding.status === 'failed').length;
  const environment = plain(run.environment, 60).toUpperCase();
  const verdict = failed === 0 ? `✓ *${environment} is valid*` : `✗ *${environment} is not valid: ${failed} failed*`;
  const took = measureRun(run, now).milliseconds;
  return fitCard({
    text: `${environment} · validation: ${findingTally(run.findings)}`,
    head: [section(`${verdict}\n${mentionUser(run.requester.id)}: ${findingTally(run.findings)}`)],
    body: sections(sorted.flatMap(findingLines)),
    tail: [context(`${runLink(run.id, link)}${took === null ? '' : ` · ${sayDuration(took)}`}`)],
  });
}
