import { gateCard } from '../../blocks/gate-card.ts';
import type { Run } from '../runs/run.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { Identity } from './identity.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import type { SlackCalls } from './slack-calls.ts';

/** Shows the votes on single steps of a run: a message each, whose buttons go when it waits for nobody any more. */
export interface GateTeller {
  show(run: Run, channel: string): Promise<void>;
}

export function createGateTeller(deps: {
  readonly calls: Pick<SlackCalls, 'update'>;
  readonly posts: PostOnce;
  readonly tokens: ButtonTokens;
  readonly identity: Pick<Identity, 'approvers'>;
}): GateTeller {
  const { calls, posts, tokens, identity } = deps;
  /** How each was last shown; after a restart each is edited once more. */
  const shown = new Map<string, string>();
  return {
    async show(run, channel) {
      const about = aboutRun(run);
      for (const gate of run.control.gates) {
        const name = `gate-${gate.id}`;
        const open = run.control.ballot?.id === gate.id;
        const looks = `${open} ${gate.state} ${gate.votes.length}`;
        if (shown.get(name) === looks) continue;
        const message = gateCard(run, gate, open ? await tokens.ofRun(run) : {}, await identity.approvers());
        // One that was never shown and waits for nobody any more needs no message.
        const posted = open ? await posts.post(about, name, channel, message, null) : await posts.find(about, name);
        if (posted !== null && !posted.fresh) {
          // Deleted by somebody: needed again only while it waits for votes.
          if (open) await posts.edit(about, name, posted, message);
          else await calls.update(posted.channel, posted.ts, message);
        }
        if (shown.size > 10_000) shown.clear();
        shown.set(name, looks);
      }
    },
  };
}
