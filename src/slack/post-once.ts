import type { Message } from '../../blocks/message.ts';
import type { Run } from '../runs/run.ts';
import type { Logger } from '../shared/logger.ts';
import type { Outbox } from './outbox.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

/** Posts each named message of a run exactly once, whatever crashes in between. */
export interface PostOnce {
  /** Answers channel and ts of the post, new or found. Throws as `SlackCalls` does. */
  post(run: Run, name: string, channel: string, message: Message, thread: string | null): Promise<Posted>;
  /** Null when it was never begun, or begun and never arrived. */
  find(run: Run, name: string): Promise<Posted | null>;
}

interface Posted {
  readonly channel: string;
  readonly ts: string;
  /** False when it stood there already. */
  readonly fresh: boolean;
}

/** Slack's clock may differ from ours. */
const slack = 10 * 60_000;
const unfit = ['invalid_blocks', 'invalid_blocks_format', 'msg_too_long', 'msg_blocks_too_long', 'metadata_too_large'];

/**
 * Before a post its name is stored; Slack keeps the name in the message's metadata. So a name that was begun and not
 * finished (a crash, or an answer that got lost) is looked for in the channel before it is posted again.
 */
export function createPostOnce(deps: {
  readonly outbox: Pick<Outbox, 'post' | 'beginPost' | 'finishPost'>;
  readonly calls: SlackCalls;
  readonly logger: Logger;
}): PostOnce {
  const { outbox, calls, logger } = deps;

  async function known(run: Run, name: string, thread: string | null): Promise<Posted | 'lost' | null> {
    const begun = await outbox.post(run.id, name);
    if (begun === null) return null;
    if (begun.ts !== null) return { channel: begun.channel, ts: begun.ts, fresh: false };
    const since = new Date(new Date(run.requestedAt).getTime() - slack);
    const ts = await calls.findPost(begun.channel, { run: run.id, name }, thread, since);
    if (ts === null) return 'lost';
    await outbox.finishPost(run.id, name, ts);
    return { channel: begun.channel, ts, fresh: false };
  }

  return {
    async post(run, name, channel, message, thread) {
      const before = await known(run, name, thread);
      if (before !== null && before !== 'lost') return before;
      if (before === null) await outbox.beginPost(run.id, name, channel);
      const mark = { run: run.id, name };
      const ts = await calls.post(channel, message, mark, thread).catch((error: unknown) => {
        if (!(error instanceof SlackRefused) || !unfit.includes(error.word)) throw error;
        logger.error({ run: run.id, post: name, word: error.word }, 'Slack refuses a message of ours: posted as text');
        return calls.post(channel, { text: message.text, blocks: [] }, mark, thread);
      });
      await outbox.finishPost(run.id, name, ts);
      return { channel, ts, fresh: true };
    },
    async find(run, name) {
      const found = await known(run, name, null);
      return found === 'lost' ? null : found;
    },
  };
}
