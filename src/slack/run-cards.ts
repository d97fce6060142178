import { failureCard } from '../../blocks/failure-card.ts';
import type { Message } from '../../blocks/message.ts';
import { runCard } from '../../blocks/run-card.ts';
import type { Desks } from '../../commands/desks.ts';
import type { Run } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { GateTeller } from './gate-teller.ts';
import type { Identity } from './identity.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import type { BesideRun } from './run-links.ts';
import type { RunPosts } from './run-posts.ts';
import type { SlackCalls } from './slack-calls.ts';

/** The messages of runs that are edited: the one of each, its votes on steps, and its newest failure. */
export interface RunCards {
  /** Posts the run's message where there is none; true = it did. */
  open(run: Run): Promise<boolean>;
  /** Brings what stands there up to date. */
  show(run: Run): Promise<void>;
  /** Its buttons go when the run goes on. */
  failed(run: Run, post: { readonly channel: string; readonly ts: string }): void;
}

export function createRunCards(deps: {
  readonly calls: Pick<SlackCalls, 'update'>;
  readonly posts: PostOnce;
  readonly places: Pick<RunPosts, 'channelOf'>;
  readonly gates: Pick<GateTeller, 'refresh'>;
  readonly tokens: ButtonTokens;
  readonly identity: Pick<Identity, 'approvers'>;
  readonly desks: Pick<Desks, 'outlooks'>;
  readonly beside: BesideRun;
  readonly clock: Clock;
}): RunCards {
  const { calls, posts, places, gates, tokens, identity, desks, beside, clock } = deps;
  /** Runs whose message stands there. */
  const opened = new Set<string>();
  const failures = new Map<string, { readonly channel: string; readonly ts: string }>();

  const cardOf = async (run: Run): Promise<Message> =>
    runCard(run, await tokens.ofRun(run), await identity.approvers(), clock.now(), desks.outlooks.of(run));

  async function clearFailure(run: Run): Promise<void> {
    const post = failures.get(run.id);
    if (post === undefined || run.status === 'parked') return;
    await calls.update(post.channel, post.ts, failureCard(run, {}, clock.now(), null, (await beside(run)).link));
    failures.delete(run.id);
  }

  return {
    async open(run) {
      if (opened.has(run.id)) return false;
      const channel = await places.channelOf(run);
      const { fresh } = await posts.post(aboutRun(run), 'card', channel, await cardOf(run), null);
      if (opened.size > 10_000) opened.clear();
      opened.add(run.id);
      return fresh;
    },
    async show(run) {
      const posted = await posts.find(aboutRun(run), 'card');
      if (posted !== null) await posts.edit(aboutRun(run), 'card', posted, await cardOf(run));
      await gates.refresh(run);
      await clearFailure(run);
    },
    failed(run, post) {
      failures.set(run.id, post);
    },
  };
}
