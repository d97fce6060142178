import type { Message } from '../../blocks/message.ts';
import type { Logger } from '../shared/logger.ts';
import type { Outbox } from './outbox.ts';
import { isGone } from './refusals.ts';
import { sendFitting } from './send-fitting.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

/** What a post is about: a run, or a notice's topic. */
export interface About {
  /** The run's id or the topic. */
  readonly id: string;
  /** No post about it is older: ISO 8601. */
  readonly since: string;
}

/** Makes each named post about something exactly once, whatever crashes in between. */
export interface PostOnce {
  /** Answers channel and ts of the post, new or found. Throws as `SlackCalls` does. */
  post(about: About, name: string, channel: string, message: Message, thread: string | null): Promise<Posted>;
  /** Brings a post up to date. One that somebody deleted is posted anew, once; after that it is left alone. */
  edit(about: About, name: string, posted: Pick<Posted, 'channel' | 'ts'>, message: Message): Promise<void>;
  /** Null when it was never begun, or begun and never arrived. */
  find(about: About, name: string): Promise<Posted | null>;
}

interface Posted {
  readonly channel: string;
  readonly ts: string;
  /** False when it stood there already. */
  readonly fresh: boolean;
}

export const aboutRun = (run: { readonly id: string; readonly requestedAt: string }): About => ({
  id: run.id,
  since: run.requestedAt,
});

/** Slack's clock may differ from ours. */
const slack = 10 * 60_000;

/**
 * Before a post its name is stored; Slack keeps the name in the message's metadata. So a name that was begun and not
 * finished (a crash, or an answer that got lost) is looked for in the channel before it is posted again.
 */
export function createPostOnce(deps: {
  readonly outbox: Pick<Outbox, 'post' | 'beginPost' | 'finishPost' | 'beginAnew'>;
  readonly calls: Pick<SlackCalls, 'post' | 'findPost' | 'update'>;
  readonly logger: Logger;
}): PostOnce {
  const { outbox, calls, logger } = deps;
  const unfit = (about: About, name: string) => (word: string) =>
    logger.error({ about: about.id, post: name, word }, 'Slack does not want a message of ours as it is');

  async function known(about: About, name: string, thread: string | null): Promise<Posted | 'lost' | null> {
    const begun = await outbox.post(about.id, name);
    if (begun === null) return null;
    if (begun.ts !== null) return { channel: begun.channel, ts: begun.ts, fresh: false };
    const since = new Date(new Date(about.since).getTime() - slack);
    const ts = await calls.findPost(begun.channel, { run: about.id, name }, thread, since);
    if (ts === null) return 'lost';
    await outbox.finishPost(about.id, name, ts);
    return { channel: begun.channel, ts, fresh: false };
  }

  async function post(
    about: About,
    name: string,
    channel: string,
    message: Message,
    thread: string | null,
  ): Promise<Posted> {
    const before = await known(about, name, thread);
    if (before !== null && before !== 'lost') return before;
    if (before === null) await outbox.beginPost(about.id, name, channel);
    const mark = { run: about.id, name };
    const ts = await sendFitting(message, (variant) => calls.post(channel, variant, mark, thread), unfit(about, name));
    await outbox.finishPost(about.id, name, ts);
    return { channel, ts, fresh: true };
  }

  return {
    post,
    async edit(about, name, { channel, ts }, message) {
      try {
        await sendFitting(message, (variant) => calls.update(channel, ts, variant), unfit(about, name));
      } catch (error) {
        if (!(error instanceof SlackRefused) || !isGone(error.word)) throw error;
        const anew = await outbox.beginAnew(about.id, name, ts);
        logger.warn({ about: about.id, post: name, word: error.word, anew }, 'a message of ours is gone');
        if (anew) await post(about, name, channel, message, null);
      }
    },
    async find(about, name) {
      const found = await known(about, name, null);
      return found === 'lost' ? null : found;
    },
  };
}
