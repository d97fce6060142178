import { askedMessage, lookingMessage } from '../../blocks/notices.ts';
import { answer, looksAtStores } from '../../commands/answer.ts';
import type { Desks } from '../../commands/desks.ts';
import { type ParsedWords, parseWords } from '../../commands/parse-words.ts';
import type { Door } from '../runs/door.ts';
import type { Clock } from '../shared/clock.ts';
import { whenSlow } from '../shared/when-slow.ts';
import type { ButtonTokens } from './button-tokens.ts';
import type { Identity, SlackUser } from './identity.ts';
import type { Answerer } from './listen.ts';
import { renderReply } from './render-reply.ts';
import type { BesideRun } from './run-links.ts';

/**
 * Asks a line of words for a person and shows them the reply. What takes long is said to be looked at meanwhile, in a
 * message of its own: the response URL of a command replaces none. With `inPlace` the message whose button was clicked
 * makes way at once and says it there, so that a second tap asks for nothing a second time.
 */
export type Ask = (
  user: SlackUser,
  line: string | ParsedWords,
  to: Answerer,
  inPlace?: boolean,
  channel?: string | null,
) => Promise<void>;

export function createAsk(deps: {
  readonly door: Door;
  readonly desks: Desks;
  readonly identity: Identity;
  readonly tokens: ButtonTokens;
  readonly beside: BesideRun;
  readonly clock: Clock;
  /** Milliseconds without an answer after which people are told that it takes a while. */
  readonly slowAfter: number;
}): Ask {
  const { door, desks, identity, tokens, beside, clock, slowAfter } = deps;
  return async (user, line, to, inPlace = false, channel = null) => {
    const words = typeof line === 'string' ? parseWords(line) : line;
    const looking = looksAtStores(words) ? lookingMessage(words.word, words.names) : null;
    if (inPlace) await to.replace(askedMessage(typeof line === 'string' ? line : words.again, looking !== null));
    const ticks = words.word === 'checklist' && words.names.length > 1;
    const voting = words.word === 'reject' || words.word === 'approve' || ticks;
    const person = await identity.person(user, words.word === 'break-glass' ? words.word : voting ? 'vote' : 'command');
    const asked = answer(words, { door, desks, person, show: null, channel });
    const tellLooking = () => (looking === null ? undefined : to.tell([looking]));
    // A response URL takes five messages: what makes way has taken one, and has said it.
    const reply = inPlace ? await asked : await whenSlow(asked, slowAfter, tellLooking);
    await to.tell(await renderReply(reply, { door, tokens, beside, now: clock.now() }));
  };
}
