import { randomBytes, randomUUID } from 'node:crypto';
import { App, HTTPReceiver, SocketModeReceiver, type webApi } from '@slack/bolt';
import { anyAction, linkAction, rejectModal } from '../../blocks/button.ts';
import type { Message } from '../../blocks/message.ts';
import { brokenMessage, refusedMessage } from '../../blocks/refused.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import { createAcksFirst } from './acks-first.ts';
import type { AskWindows } from './ask-windows.ts';
import { createBoltLogger } from './bolt-logger.ts';
import { listenToWindows } from './listen-to-windows.ts';
import { RatedClient } from './rated-client.ts';
import type { Rates } from './rates.ts';
import { refuseReplays, requestPath } from './replay-guard.ts';
import {
  type ClickRequest,
  type CommandRequest,
  clickRequest,
  commandRequest,
  type ReasonRequest,
  reasonRequest,
} from './requests.ts';
import { createSeenBefore } from './seen-before.ts';
import type { SigningSecrets } from './signing-secrets.ts';
import { SlackBusy, SlackRefused } from './slack-calls.ts';

/** Says something to the person who asked, and to nobody else. */
export interface Answerer {
  tell(messages: readonly Message[]): Promise<void>;
  /** Puts a message in the place of the one whose button was clicked. */
  replace(message: Message): Promise<void>;
}

/** What is done with requests, each of them acknowledged before. Whatever they throw is rendered here. */
export interface Handlers {
  command(request: CommandRequest, answer: Answerer): Promise<void>;
  click(request: ClickRequest, answer: Answerer): Promise<void>;
  reason(request: ReasonRequest, answer: Answerer): Promise<void>;
  readonly windows: Omit<AskWindows, 'openFor'>;
  groupChanged(group: string): Promise<void>;
  homeOpened(user: string): Promise<void>;
}

interface ListenOptions {
  readonly mode: 'http' | 'socket';
  readonly botToken: string;
  readonly signingSecrets: SigningSecrets;
  readonly appToken: string;
  readonly port: number;
  /** Of a simulated workspace; then only this machine can reach the bot. */
  readonly apiUrl: string | undefined;
  readonly handlers: Handlers;
  /** When no response URL works: a direct message. */
  readonly tellDirectly: (user: string, message: Message) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Listener {
  /** Port 0 in Socket Mode. */
  start(): Promise<{ port: number }>;
  stop(): Promise<void>;
}

interface Started {
  readonly port: number;
  stop(): Promise<void>;
}

const callTimeout = 10_000;
const rememberRequests = 15 * 60_000;

/** Nothing is tried again by the client: what must not happen twice (posts) is tried again by those who can look first. */
export function createWebClient(
  token: string,
  apiUrl: string | undefined,
  rates: Rates,
  readAgain: () => Promise<string>,
  logger: Logger,
): webApi.WebClient {
  return new RatedClient(token, { ...clientOptions(apiUrl), logger: createBoltLogger(logger) }, rates, readAgain);
}

/** Slack's requests, over HTTP or through a socket: acknowledged first, then worked on. */
export function createListener(options: ListenOptions): Listener {
  const { handlers, logger } = options;
  const receiver = options.mode === 'http' ? httpReceiver(options) : socketReceiver(options);
  const app = new App({
    receiver,
    // No call of auth.test: an acknowledgement waits for nothing.
    authorize: async () => ({ botToken: options.botToken }),
    logger: createBoltLogger(logger),
    clientOptions: clientOptions(options.apiUrl),
    convoStore: false,
    ignoreSelf: false,
  });
  const seen = createSeenBefore(options.clock);
  const isAgain = (trigger: unknown): boolean =>
    typeof trigger === 'string' && seen.check(trigger, options.clock.now().getTime() + rememberRequests);
  const acksFirst = createAcksFirst();
  const guarded = (sort: 'click' | 'command', user: string, answer: Answerer, work: () => Promise<void>) =>
    acksFirst(sort, () => guard(logger, user, answer, work));

  app.command(/.*/, async ({ ack, body, respond }) => {
    await ack();
    if (isAgain(body.trigger_id)) return;
    const answer = answerer(options, body.user_id, respond);
    await guarded('command', body.user_id, answer, () => handlers.command(commandRequest.parse(body), answer));
  });
  app.action(anyAction, async ({ ack, body, respond }) => {
    await ack();
    if ('trigger_id' in body && isAgain(body.trigger_id)) return;
    const answer = answerer(options, body.user.id, hasResponseUrl(body) ? respond : null);
    await guarded('click', body.user.id, answer, () => handlers.click(clickRequest.parse(body), answer));
  });
  app.action(linkAction, ({ ack }) => ack());
  app.view(rejectModal.callback, async ({ ack, body }) => {
    await ack();
    const answer = answerer(options, body.user.id, null);
    await guarded('click', body.user.id, answer, () => handlers.reason(reasonRequest.parse(body), answer));
  });
  listenToWindows(app, handlers.windows, (user, work) => {
    const answer = answerer(options, user, null);
    return guarded('click', user, answer, () => work(answer));
  });
  app.event('subteam_members_changed', async ({ event }) => {
    await handlers.groupChanged(event.subteam_id);
  });
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab !== 'home') return;
    const answer = answerer(options, event.user, null);
    await guarded('command', event.user, answer, () => handlers.homeOpened(event.user));
  });
  app.error(async (error) => logger.error({ err: error }, 'a request of Slack went wrong'));
  let started: Started | null = null;
  return {
    async start() {
      started = await start(options, receiver);
      return { port: started.port };
    },
    stop: async () => started?.stop(),
  };
}

/** The one place where errors of handlers end: failures are shown, anything else gets an id that is logged and shown. */
async function guard(logger: Logger, user: string, answer: Answerer, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const id = randomUUID().slice(0, 8);
    const failure =
      error instanceof SlackBusy || isTooLate(error) ? tooBusy(error) : error instanceof Failure ? error : null;
    if (failure !== null) logger.info({ user, code: failure.code }, failure.message);
    else logger.error({ id, user, err: error }, 'a request went wrong');
    const message = failure === null ? brokenMessage(id) : refusedMessage(failure);
    await answer
      .tell([message])
      .catch((unsaid: unknown) => logger.error({ id, user, err: unsaid }, 'could not answer'));
  }
}

/** The three seconds in which a click may open a window were over. */
function isTooLate(error: unknown): boolean {
  return error instanceof SlackRefused && ['expired_trigger_id', 'trigger_expired'].includes(error.word);
}

function tooBusy(cause: unknown): Failure {
  return new Failure({
    code: 'unreachable',
    message: 'Slack takes no more windows and messages of the bot just now.',
    advice: 'Try again in a minute; `/tas runs` shows how things stand.',
    retryable: true,
    cause,
  });
}

type Respond = (message: never) => Promise<unknown>;

/** A click in a window brings none, and then there is no `respond`. */
function hasResponseUrl(body: object): boolean {
  return 'response_url' in body && typeof body.response_url === 'string' && body.response_url !== '';
}

/** A response URL works five times in thirty minutes; after that a direct message does. */
function answerer(options: ListenOptions, user: string, respond: Respond | null): Answerer {
  const directly = (message: Message) => options.tellDirectly(user, message);
  const say = async (message: Message, how: object): Promise<void> => {
    if (respond === null) return directly(message);
    await respond({ ...message, ...how } as never).catch(() => directly(message));
  };
  return {
    async tell(messages) {
      for (const message of messages) await say(message, { response_type: 'ephemeral', replace_original: false });
    },
    replace: (message) => say(message, { replace_original: true }),
  };
}

function httpReceiver(options: ListenOptions): HTTPReceiver {
  const { signingSecrets: secrets, logger, clock } = options;
  const innerSecret = randomBytes(32).toString('hex');
  const boltLogger = createBoltLogger(logger);
  const receiver = new HTTPReceiver({ signingSecret: innerSecret, endpoints: [requestPath], logger: boltLogger });
  refuseReplays(receiver, { secrets, innerSecret, clock, logger });
  return receiver;
}

function socketReceiver(options: ListenOptions): SocketModeReceiver {
  return new SocketModeReceiver({
    appToken: options.appToken,
    logger: createBoltLogger(options.logger),
    installerOptions: {
      clientOptions: { ...clientOptions(options.apiUrl), retryConfig: { retries: 100, factor: 1.3 } },
    },
  });
}

async function start(options: ListenOptions, receiver: HTTPReceiver | SocketModeReceiver): Promise<Started> {
  if (receiver instanceof SocketModeReceiver) {
    // Slack may be down just now: the client goes on trying, and the terminal works meanwhile.
    const connected = receiver
      .start()
      .catch((error: unknown) => options.logger.error({ err: error }, 'no socket to Slack'));
    await Promise.race([connected, new Promise((resolve) => setTimeout(resolve, callTimeout).unref())]);
    return { port: 0, stop: () => receiver.stop() };
  }
  const host = options.apiUrl === undefined ? undefined : '127.0.0.1';
  const server = await receiver.start({ port: options.port, ...(host === undefined ? {} : { host }) });
  const address = server.address();
  const stop = async (): Promise<void> => {
    // Requests are answered within milliseconds: what is still open then is somebody who never finishes.
    const timer = setTimeout(() => server.closeAllConnections(), 1_000);
    await receiver.stop();
    clearTimeout(timer);
  };
  return { port: typeof address === 'object' && address !== null ? address.port : options.port, stop };
}

function clientOptions(apiUrl: string | undefined): webApi.WebClientOptions {
  return {
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: callTimeout,
    allowAbsoluteUrls: false,
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
  };
}
