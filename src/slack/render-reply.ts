import { adviceMessage, waysOf } from '../../blocks/advice.ts';
import { backupList } from '../../blocks/backup-card.ts';
import { ballotCard } from '../../blocks/ballot-card.ts';
import { checklistMessage } from '../../blocks/checklist.ts';
import { confirmMessage } from '../../blocks/confirm-link.ts';
import { detailsMessage } from '../../blocks/details.ts';
import { pages } from '../../blocks/fit.ts';
import { glassCard } from '../../blocks/glass.ts';
import { helpMessage } from '../../blocks/help.ts';
import { windowMessage, windowsMessage } from '../../blocks/maintenance.ts';
import type { Message } from '../../blocks/message.ts';
import {
  chooseEnvironmentMessage,
  controlledMessage,
  keptMessage,
  nothingToDoMessage,
  retriedMessage,
  submittedMessage,
  votedMessage,
} from '../../blocks/notices.ts';
import { onCallMessage } from '../../blocks/oncall.ts';
import { planMessage } from '../../blocks/plan-view.ts';
import { refusedMessage } from '../../blocks/refused.ts';
import { runbookMessage } from '../../blocks/runbook.ts';
import { runsMessage } from '../../blocks/runs.ts';
import { scheduleMessage, schedulesMessage } from '../../blocks/schedules.ts';
import { statusMessage } from '../../blocks/status.ts';
import type { Reply } from '../../commands/command.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import type { ButtonTokens } from './button-tokens.ts';
import { checklistTools } from './checklist-boxes.ts';
import type { BesideRun } from './run-links.ts';

interface RenderDeps {
  readonly door: Pick<Door, 'environments'>;
  readonly tokens: ButtonTokens;
  readonly beside: BesideRun;
  readonly now: Date;
}

/** A response URL takes five messages. */
const mostPages = 4;

/** What the person who asked sees; nobody else does. */
export async function renderReply(reply: Reply, deps: RenderDeps): Promise<Message[]> {
  return pages(await messageOf(reply, deps), mostPages, '`npx tas` in a terminal shows all');
}

async function messageOf(reply: Reply, { door, tokens, beside, now }: RenderDeps): Promise<Message> {
  const linkOf = async (run: Run): Promise<string | null> => (await beside(run)).link;
  switch (reply.kind) {
    case 'help':
      return helpMessage(reply.commands, reply.migrations, reply.problem, reply.here);
    case 'choose-environment': {
      const { words, environments } = reply;
      return chooseEnvironmentMessage(words, environments, await tokens.ofChoice(words, environments));
    }
    case 'nothing-to-do':
      return nothingToDoMessage(reply.title, reply.findings);
    case 'preview':
      return planMessage(reply.preview, 'pages');
    case 'advice':
      return adviceMessage(reply.advice, await tokens.ofWords(waysOf(reply.advice).map(({ words }) => words)));
    case 'submitted': {
      const channel = door.environments.find(({ name }) => name === reply.run.environment)?.channel ?? '';
      return submittedMessage(reply.run, reply.votesNeeded, channel);
    }
    case 'refused':
      return refusedMessage(reply, reply.findings);
    case 'to-confirm':
      return confirmMessage(reply.run, reply.link, reply.expiresAt);
    case 'voted':
      return votedMessage(reply.run, reply.choice, reply.decision, await linkOf(reply.run));
    case 'to-vote':
      return ballotCard(reply.run, await tokens.ofRun(reply.run), await beside(reply.run));
    case 'to-break-glass': {
      const { run, reason, vetoMinutes } = reply;
      const glass = await tokens.ofMeaning({ action: 'glass', runId: run.id, digest: run.digest, words: reason });
      return glassCard(run, { glass }, { reason, vetoMinutes }, await beside(run));
    }
    case 'retried':
      return retriedMessage(reply.run, await linkOf(reply.run));
    case 'controlled':
      return controlledMessage(reply.run, reply.what, await linkOf(reply.run));
    case 'kept':
      return keptMessage(reply.run, await linkOf(reply.run));
    case 'status':
      return statusMessage(reply.status);
    case 'runs':
      return runsMessage(reply.runs, reply.waiting);
    case 'run':
      return detailsMessage(reply.run, reply.conflicts, now);
    case 'window':
      return windowMessage(reply.window, reply.note);
    case 'windows':
      return windowsMessage(reply.windows);
    case 'schedule':
      return scheduleMessage(reply.view, reply.done);
    case 'schedules':
      return schedulesMessage(reply.schedules);
    case 'runbook':
      return runbookMessage(reply.runbook, reply.called);
    case 'on-call':
      return onCallMessage(reply.view);
    case 'checklist':
      return checklistMessage(reply.view, await checklistTools(tokens, reply.view, false));
    case 'backups':
      return backupList(reply.environment, reply.backups);
  }
}
