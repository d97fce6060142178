import type { Run } from '../src/runs/run.ts';
import { approvalCard } from './approval-card.ts';
import { type Beside, nothingBeside } from './beside.ts';
import type { Tokens } from './button.ts';
import { gateCard } from './gate-card.ts';
import type { Message } from './message.ts';

const nobody = { users: [], groups: [] };

/** What a run waits for votes on: the step it stands before, or the whole plan. Calls nobody. */
export function ballotCard(run: Run, tokens: Tokens, beside: Beside = nothingBeside): Message {
  const gate = run.control.ballot;
  return gate === null
    ? approvalCard(run, tokens, nobody, beside.outlook)
    : gateCard(run, gate, tokens, nobody, beside);
}
