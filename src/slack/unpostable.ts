import type { Run } from '../runs/run.ts';
import type { Logger } from '../shared/logger.ts';
import { isClosed, isGone, isOurs } from './refusals.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

/** Does what it is given and swallows refusals that would be the same for ever. The requester is told once a run. */
export type Unpostable = (run: Run, work: () => Promise<void>) => Promise<void>;

export function createUnpostable(calls: Pick<SlackCalls, 'tell'>, logger: Logger): Unpostable {
  const told = new Set<string>();
  return async (run, work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SlackRefused)) throw error;
      const { word } = error;
      if (isGone(word)) return logger.warn({ run: run.id, word }, 'a message is gone or can no longer be edited');
      if (isOurs(word)) throw error;
      if (!isClosed(word)) return logger.error({ run: run.id, word }, 'Slack does not take a message of ours');
      logger.error({ run: run.id, word }, 'cannot post in the environment’s channel: invite the bot there');
      if (told.has(run.id)) return;
      if (told.size > 1_000) told.clear();
      told.add(run.id);
      const text = `I cannot post about ${run.id} in the channel of ${run.environment} (${word}): invite me there.`;
      await calls.tell(run.requester.id, { text, blocks: [] }).catch(() => {});
    }
  };
}
