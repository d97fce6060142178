import type { Outlook } from '../src/runs/outlook.ts';
import type { Run } from '../src/runs/run.ts';
import { approvalCard } from './approval-card.ts';
import type { Tokens } from './button.ts';
import type { Called } from './called.ts';
import { endedCard } from './ended-card.ts';
import type { Message } from './message.ts';
import { progressCard } from './progress-card.ts';

/** The one message of a run, whatever its status: first the request, then its progress, then how it ended. */
export function runCard(run: Run, tokens: Tokens, called: Called, now: Date, outlook: Outlook | null = null): Message {
  if (run.status === 'planned') return approvalCard(run, tokens, called, outlook);
  if (run.status === 'queued' || run.status === 'running' || run.status === 'paused')
    return progressCard(run, tokens, now);
  return endedCard(run, tokens, now);
}
