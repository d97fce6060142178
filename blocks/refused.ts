import type { FailureReport } from '../src/shared/failure.ts';
import type { Finding } from '../src/systems/finding.ts';
import { code, plain, ticked } from './escape.ts';
import { findingLines } from './findings.ts';
import { context, type Message, section, sections } from './message.ts';

/** A no, or something an operator can act on: what happened, what to do, and the findings behind it. */
export function refusedMessage(
  report: Pick<FailureReport, 'code' | 'message' | 'advice'>,
  findings: readonly Finding[] = [],
): Message {
  return {
    text: `Refused: ${plain(report.message, 600)}`,
    blocks: [
      section(`✗ ${ticked(report.message)}\n${ticked(report.advice)}`),
      ...sections(findings.filter((finding) => finding.status !== 'passed').flatMap(findingLines)),
      context(code(report.code)),
    ],
  };
}

/** Something that is nobody's to act on: the id finds it in the log. */
export function brokenMessage(id: string): Message {
  const text = 'Something in the bot itself went wrong.';
  return {
    text,
    blocks: [
      section(
        `✗ ${text}\nWhat was asked may or may not have been done: look at \`/tas runs\`. Tell whoever runs the bot this id: ${code(id)}`,
      ),
    ],
  };
}
