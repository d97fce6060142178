import { gateCard } from '../../blocks/gate-card.ts';
import type { Message } from '../../blocks/message.ts';
import type { Run, StepGate } from '../runs/run.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { Identity } from './identity.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import type { BesideRun } from './run-links.ts';
import type { SlackCalls } from './slack-calls.ts';

/** Shows the votes on single steps of a run: a message each, whose buttons go when it waits for nobody any more. */
export interface GateTeller {
  /** Posts the one that waits now. */
  open(run: Run, channel: string): Promise<void>;
  /** Brings those that stand there up to date. */
  refresh(run: Run): Promise<void>;
}

export function createGateTeller(deps: {
  readonly calls: Pick<SlackCalls, 'update'>;
  readonly posts: PostOnce;
  readonly tokens: ButtonTokens;
  readonly identity: Pick<Identity, 'approvers'>;
  readonly beside: BesideRun;
}): GateTeller {
  const { calls, posts, tokens, identity, beside } = deps;
  /** How each was last shown; after a restart each is edited once more. */
  const shown = new Map<string, string>();
  const nameOf = (gate: StepGate): string => `gate-${gate.id}`;
  const isOpen = (run: Run, gate: StepGate): boolean => run.control.ballot?.id === gate.id;
  const looksOf = (run: Run, gate: StepGate): string => `${isOpen(run, gate)} ${gate.state} ${gate.votes.length}`;

  async function messageOf(run: Run, gate: StepGate): Promise<Message> {
    const buttons = isOpen(run, gate) ? await tokens.ofRun(run) : {};
    return gateCard(run, gate, buttons, await identity.approvers(), await beside(run));
  }

  function remember(run: Run, gate: StepGate): void {
    if (shown.size > 10_000) shown.clear();
    shown.set(nameOf(gate), looksOf(run, gate));
  }

  return {
    async open(run, channel) {
      // One that was never shown and waits for nobody any more needs no message.
      for (const gate of run.control.gates.filter((each) => isOpen(run, each) && !shown.has(nameOf(each)))) {
        const { fresh } = await posts.post(aboutRun(run), nameOf(gate), channel, await messageOf(run, gate), null);
        if (fresh) remember(run, gate);
      }
    },
    async refresh(run) {
      const about = aboutRun(run);
      for (const gate of run.control.gates.filter((each) => shown.get(nameOf(each)) !== looksOf(run, each))) {
        const posted = await posts.find(about, nameOf(gate));
        if (posted === null) continue;
        const message = await messageOf(run, gate);
        // Deleted by somebody: needed again only while it waits for votes.
        if (isOpen(run, gate)) await posts.edit(about, nameOf(gate), posted, message);
        else await calls.update(posted.channel, posted.ts, message);
        remember(run, gate);
      }
    },
  };
}
