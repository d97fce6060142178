import type { Message } from '../../blocks/message.ts';
import type { Door } from '../runs/door.ts';
import type { Run } from '../runs/run.ts';
import { aboutRun, type PostOnce } from './post-once.ts';
import { isClosed, isOurs } from './refusals.ts';
import { type SlackCalls, SlackRefused } from './slack-calls.ts';

interface Place {
  readonly channel: string;
  readonly ts: string;
}

/** Where posts of a run go. */
export interface RunPosts {
  channelOf(run: Run): Promise<string>;
  /** Where the channel takes nothing the requester is told directly; the refusal is thrown all the same. */
  inChannel(run: Run, name: string, message: Message): Promise<Place>;
}

export function createRunPosts(deps: {
  readonly door: Pick<Door, 'environments'>;
  readonly calls: Pick<SlackCalls, 'channelId' | 'directChannel'>;
  readonly posts: PostOnce;
}): RunPosts {
  const { door, calls, posts } = deps;

  const channelOf = (run: Run): Promise<string> => {
    const environment = door.environments.find(({ name }) => name === run.environment);
    return calls.channelId(environment?.channel ?? run.environment);
  };

  async function toRequester(run: Run, name: string, message: Message): Promise<void> {
    try {
      await posts.post(aboutRun(run), name, await calls.directChannel(run.requester.id), message, null);
    } catch (error) {
      // Whoever asks in a terminal may be nobody in Slack.
      if (!(error instanceof SlackRefused) || isOurs(error.word)) throw error;
    }
  }

  return {
    channelOf,
    async inChannel(run, name, message) {
      try {
        return await posts.post(aboutRun(run), name, await channelOf(run), message, null);
      } catch (error) {
        if (!(error instanceof SlackRefused) || !isClosed(error.word)) throw error;
        await toRequester(run, `${name}-direct`, message);
        throw error;
      }
    },
  };
}
