import type { ConflictReport, Run } from '../src/runs/run.ts';
import { code, plain, ticked } from './escape.ts';
import { fullEvidence, type Scope } from './evidence.ts';
import { findingLines } from './findings.ts';
import { type Block, type Message, type Modal, section, sections } from './message.ts';
import { messageWindow } from './message-window.ts';
import { conflictLine } from './rollback-report.ts';
import { sayHeadline, statusWords } from './say.ts';

/** All there is to say of a run: for the thread, and as the answer to `runs <run>`. May be longer than one message. */
export function detailsMessage(run: Run, conflicts: ConflictReport, now: Date, scope: Scope = 'pages'): Message {
  const headline = plain(sayHeadline(run));
  return {
    text: `Details: ${headline}`,
    blocks: [
      section(`*${headline}*\n${statusWords[run.status]} · ${code(run.id)}`),
      ...body(run, conflicts, now, scope),
    ],
  };
}

/** The same as a window. */
export function detailsWindow(run: Run, conflicts: ConflictReport, now: Date): Modal {
  return messageWindow(run.id, detailsMessage(run, conflicts, now).blocks, `\`runs ${run.id}\` shows the rest`);
}

function body(run: Run, conflicts: ConflictReport, now: Date, scope: Scope): Block[] {
  const failure =
    run.failure === null
      ? []
      : [`*Failure* ${code(run.failure.code)}: ${ticked(run.failure.message)}`, ticked(run.failure.advice)];
  return [
    ...sections(failure),
    ...fullEvidence(run, now, scope),
    ...(run.findings.length === 0 ? [] : sections(['*Found by the checks*', ...run.findings.flatMap(findingLines)])),
    ...(conflicts.total === 0
      ? []
      : sections([`*Kept: ${conflicts.total}*`, ...conflicts.conflicts.map(conflictLine)])),
  ];
}
