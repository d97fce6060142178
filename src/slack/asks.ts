import { answer } from '../../commands/answer.ts';
import { parseWords } from '../../commands/parse-words.ts';
import type { Door } from '../runs/door.ts';
import type { Clock } from '../shared/clock.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { Identity, SlackUser } from './identity.ts';
import type { Answerer } from './listen.ts';
import { renderReply } from './render-reply.ts';

/** Asks a line of words for a person and shows them the reply. */
export type Ask = (user: SlackUser, line: string, to: Answerer) => Promise<void>;

export function createAsk(deps: {
  readonly door: Door;
  readonly identity: Identity;
  readonly tokens: ButtonTokens;
  readonly clock: Clock;
}): Ask {
  const { door, identity, tokens, clock } = deps;
  return async (user, line, to) => {
    const words = parseWords(line);
    const voting = words.word === 'reject' || words.word === 'approve';
    const person = await identity.person(user, voting ? 'vote' : 'command');
    const reply = await answer(words, { door, person, show: null });
    await to.tell(await renderReply(reply, { door, tokens, now: clock.now() }));
  };
}
