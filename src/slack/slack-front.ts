import type { Desks } from '../../commands/desks.ts';
import { parseWords } from '../../commands/parse-words.ts';
import type { Config, RevealSecret } from '../config/config.ts';
import type { NoticeRecords } from '../notices/notice.ts';
import type { Door, Person } from '../runs/door.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Secret } from '../shared/secret.ts';
import { slowAfter } from '../shared/when-slow.ts';
import { createAnnouncer, type Pace } from './announce.ts';
import { createAskWindows } from './ask-windows.ts';
import { createAsk } from './asks.ts';
import { createButtonTokens } from './button-tokens.ts';
import { createChecklistTeller } from './checklist-teller.ts';
import { createClicks } from './clicks.ts';
import { createHome } from './home.ts';
import { createIdentity, type SlackUser } from './identity.ts';
import { createListener, createWebClient } from './listen.ts';
import type { Outbox } from './outbox.ts';
import { createPostOnce } from './post-once.ts';
import { createRates } from './rates.ts';
import { besideAnswers, besideRuns, createRunLinks } from './run-links.ts';
import { createSigningSecrets } from './signing-secrets.ts';
import { createSlackCalls } from './slack-calls.ts';
import { createEventTeller } from './tell-event.ts';
import { createNoticeTeller } from './tell-notice.ts';
import { createUnpostable } from './unpostable.ts';

/** A message a second and channel. */
const usualRates = { message: 1_000, factor: 1 };

interface SlackFrontDeps {
  readonly config: Config['slack'];
  readonly people: Config['people'];
  readonly reveal: RevealSecret;
  /** Reads a secret as it is now: it may have been changed since the start. */
  readonly readSecret: (reference: string) => Promise<Secret>;
  readonly door: Door;
  readonly desks: Desks;
  readonly outbox: Outbox;
  readonly notices: NoticeRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For tests that cannot wait. */
  readonly pace?: Partial<Pace>;
  readonly rates?: Partial<typeof usualRates>;
  readonly slowAfter?: number;
}

/** Everything between Slack and the door: requests in, announcements out. */
export interface SlackFront {
  /** The port that listens; 0 in Socket Mode. */
  start(): Promise<{ port: number }>;
  /** A voter with the roles that he has at this moment. Throws `unreachable`. */
  voter(user: SlackUser, breaksGlass: boolean): Promise<Person>;
  stop(): Promise<void>;
}

export function createSlackFront(deps: SlackFrontDeps): SlackFront {
  const { config, people, reveal, door, desks, outbox, notices, clock, logger } = deps;
  const botToken = reveal(config.botToken);
  const revealed = (reference: string | undefined) => (reference === undefined ? '' : reveal(reference).reveal());
  const readAgain = (reference: string | undefined) => async () =>
    reference === undefined ? '' : (await deps.readSecret(reference)).reveal();
  const rates = createRates({ ...usualRates, ...deps.rates });
  const calls = createSlackCalls(
    createWebClient(botToken.reveal(), config.apiUrl, rates, readAgain(config.botToken), logger),
  );
  const identity = createIdentity({ people, calls, outbox, clock });
  const tokens = createButtonTokens(outbox, botToken);
  const posts = createPostOnce({ outbox, calls, logger });
  const links = createRunLinks({ posts, calls });
  const beside = besideAnswers(links, desks);
  const ask = createAsk({ door, desks, identity, tokens, beside, clock, slowAfter: deps.slowAfter ?? slowAfter });
  const home = createHome({ door, desks, identity, links, calls, tokens, clock });
  const windows = createAskWindows({ door, desks, identity, outbox, calls, ask, clock });
  const clicks = createClicks({ door, desks, identity, outbox, calls, tokens, beside, ask, home, windows, clock });
  const listener = createListener({
    mode: config.mode,
    botToken: botToken.reveal(),
    signingSecrets: createSigningSecrets(revealed(config.signingSecret), readAgain(config.signingSecret), clock),
    appToken: revealed(config.appToken),
    port: config.port,
    apiUrl: config.apiUrl,
    handlers: {
      ...clicks,
      windows,
      async command({ user, text, triggerId, channel }, answer) {
        const words = parseWords(text);
        if (!(await windows.openFor(words, user, triggerId))) await ask(user, words, answer, false, channel);
      },
      groupChanged: (group) => identity.groupChanged(group),
      homeOpened: (user) => home.show({ id: user, name: user }),
    },
    tellDirectly: (user, message) => calls.tell(user, message),
    clock,
    logger,
  });
  const unpostable = createUnpostable(calls, logger);
  const shared = { calls, posts, tokens, identity, clock };
  const teller = createEventTeller({ ...shared, door, desks, beside: besideRuns(links, desks), unpostable });
  const pace = deps.pace === undefined ? {} : { pace: deps.pace };
  const checklist = createChecklistTeller({ desks, tokens, links });
  const noticeTeller = createNoticeTeller({ ...shared, checklist, links, outbox, notices, logger });
  const mayEdit = () => rates.free('chat.update');
  const announcer = createAnnouncer({ door, outbox, teller, notices, noticeTeller, mayEdit, clock, logger, ...pace });
  return {
    async start() {
      await announcer.start();
      return listener.start();
    },
    voter: (user, breaksGlass) => identity.person(user, breaksGlass ? 'break-glass' : 'vote'),
    async stop() {
      rates.stop();
      await Promise.allSettled([listener.stop(), announcer.stop()]);
    },
  };
}
