import { adviceMessage } from '../../blocks/advice.ts';
import { approvalCard } from '../../blocks/approval-card.ts';
import { backupList } from '../../blocks/backup-card.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { checklistLines } from '../../blocks/checklist.ts';
import { confirmMessage } from '../../blocks/confirm-link.ts';
import { detailsMessage } from '../../blocks/details.ts';
import { doneCard } from '../../blocks/done-card.ts';
import { notStarted } from '../../blocks/ended-card.ts';
import { fullEvidence } from '../../blocks/evidence.ts';
import { failureCard } from '../../blocks/failure-card.ts';
import { helpMessage } from '../../blocks/help.ts';
import { windowMessage, windowsMessage } from '../../blocks/maintenance.ts';
import type { Message } from '../../blocks/message.ts';
import {
  controlledMessage,
  keptMessage,
  nothingToDoMessage,
  retriedMessage,
  votedMessage,
} from '../../blocks/notices.ts';
import { onCallMessage } from '../../blocks/oncall.ts';
import { planMessage } from '../../blocks/plan-view.ts';
import { progressCard } from '../../blocks/progress-card.ts';
import { refusedMessage } from '../../blocks/refused.ts';
import { runbookMessage } from '../../blocks/runbook.ts';
import { runsMessage } from '../../blocks/runs.ts';
import { standsBeforeStart } from '../../blocks/say.ts';
import { scheduleMessage, schedulesMessage } from '../../blocks/schedules.ts';
import { statusMessage } from '../../blocks/status.ts';
import type { Reply } from '../../commands/command.ts';
import type { FailureFacts } from '../../commands/failure-facts.ts';
import type { ChecklistView } from '../checklists/checklist-view.ts';
import type { ConflictReport, Run } from '../runs/run.ts';
import { messageText, namesIn } from './message-text.ts';

const nobody = { users: [], groups: [] };

/** What a terminal prints for a reply. */
export function replyText(reply: Reply, now: Date): string {
  switch (reply.kind) {
    case 'help':
      return messageText(helpMessage(reply.commands, reply.migrations, reply.problem, reply.here));
    case 'choose-environment':
      return [
        `In which environment? Nothing was done. Write one of these behind it:`,
        ...reply.environments.map(({ name, production }) => `  env:${name}${production ? '  (production)' : ''}`),
        '',
      ].join('\n');
    case 'nothing-to-do':
      return messageText(nothingToDoMessage(reply.title, reply.findings));
    case 'preview':
      return messageText(planMessage(reply.preview, 'all'));
    case 'advice':
      return about(reply.advice.run, adviceMessage(reply.advice, null));
    case 'submitted':
      return planText(reply.run, now) + nextStep(reply.run, reply.votesNeeded);
    case 'refused':
      return messageText(refusedMessage(reply, reply.findings));
    case 'to-confirm':
      return `${about(reply.run, confirmMessage(reply.run, reply.link, reply.expiresAt))}${reply.link}\n`;
    case 'voted':
      return about(reply.run, votedMessage(reply.run, reply.choice, reply.decision));
    case 'to-vote':
    case 'to-break-glass':
      return planText(reply.run, now);
    case 'retried':
      return about(reply.run, retriedMessage(reply.run));
    case 'controlled':
      return about(reply.run, controlledMessage(reply.run, reply.what));
    case 'kept':
      return about(reply.run, keptMessage(reply.run));
    case 'status':
      return messageText(statusMessage(reply.status), namesIn(reply.status.openRuns));
    case 'runs':
      return messageText(runsMessage(reply.runs, reply.waiting), namesIn(reply.runs));
    case 'run':
      return about(reply.run, detailsMessage(reply.run, reply.conflicts, now, 'all'));
    case 'window':
      return messageText(windowMessage(reply.window, reply.note));
    case 'windows':
      return messageText(windowsMessage(reply.windows));
    case 'schedule':
      return messageText(scheduleMessage(reply.view, reply.done));
    case 'schedules':
      return messageText(schedulesMessage(reply.schedules));
    case 'runbook':
      return messageText(runbookMessage(reply.runbook, reply.called));
    case 'on-call':
      return messageText(onCallMessage(reply.view));
    case 'checklist':
      return checklistText(reply.view);
    case 'backups':
      return messageText(backupList(reply.environment, reply.backups));
  }
}

/** What a run would do, in full: printed before a vote. */
export function planText(run: Run, now: Date): string {
  if (run.control.ballot !== null) return about(run, ballotCard(run, {}));
  const { text, blocks } = approvalCard(run, {}, nobody);
  return messageText({ text, blocks: [...blocks.slice(0, 2), ...fullEvidence(run, now, 'all')] }, namesIn([run]));
}

/** How a run stands when nothing more is waited for. */
export function outcomeText(run: Run, conflicts: ConflictReport, now: Date, facts: FailureFacts | null = null): string {
  if (run.status === 'done') return about(run, doneCard(run, {}, conflicts, now));
  if (run.status === 'parked') {
    const ways = ['retry', 'rollback', 'keep'].map((word) => `npx tas ${word} ${run.id}`).join('  |  ');
    return `${about(run, failureCard(run, {}, now, facts))}${ways}\n`;
  }
  if (run.status === 'paused') {
    const own = run.control.ballot === null ? 'resume' : 'approve';
    const words = [own, 'stop', ...(standsBeforeStart(run) ? [] : ['rollback'])];
    return `${about(run, progressCard(run, {}, now))}${words.map((word) => `npx tas ${word} ${run.id}`).join('  |  ')}\n`;
  }
  if (['rejected', 'expired', 'voided'].includes(run.status)) return about(run, notStarted(run));
  return about(run, detailsMessage(run, conflicts, now));
}

function checklistText(view: ChecklistView): string {
  const names = view.items.flatMap(({ by }) => (by === null ? [] : [[by.id, by.name] as const]));
  return messageText(checklistLines(view), new Map(names));
}

function about(run: Run, message: Message): string {
  return messageText(message, namesIn([run]));
}

function nextStep(run: Run, votesNeeded: number): string {
  if (votesNeeded === 0) return `${run.id} starts at once.\n`;
  const votes = votesNeeded === 1 ? 'the vote of another person' : `${votesNeeded} votes of others`;
  return `${run.id} waits for ${votes}: npx tas approve ${run.id}\n`;
}
