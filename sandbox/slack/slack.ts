import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createApi, type LoggedCall } from './api.ts';
import { type ChannelView, viewChannel } from './channel-view.ts';
import { type Acknowledgement, createDelivery, type EnvelopeType } from './delivery.ts';
import { createFaults, type Faults, type Outage } from './faults.ts';
import { createForgery, type Forgery, type ForgeryKind } from './forgery.ts';
import { type Latencies, measureLatencies } from './latencies.ts';
import { createRates } from './limits/rates.ts';
import type { Message } from './message.ts';
import { type Member, type PersonName, people } from './people.ts';
import { createPerson, type PersonInSlack } from './person.ts';
import { createRequests, type RawReply, type Requests } from './request.ts';
import { createResponseUrls } from './response-urls.ts';
import { createSlackServer } from './server.ts';
import { openSocketSide, type SocketSide } from './socket.ts';
import type { Stage } from './stage.ts';
import { realTime, type SlackTime } from './time.ts';
import { createTriggers } from './triggers.ts';
import { createViews } from './views.ts';
import { createWaitFor, type WaitFor } from './wait-for.ts';
import { createUploads } from './web-api/uploads.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

export interface SlackOptions {
  /** Port of the workspace; 0 or absent = a free one. */
  readonly port?: number;
  readonly time?: SlackTime;
  /** What the app was granted; absent = everything. */
  readonly scopes?: readonly string[];
  /** Absent = made up anew. */
  readonly botToken?: string;
  readonly appToken?: string;
  readonly signingSecret?: string;
}

/** A Slack workspace on this machine, for the real Bolt: HTTP and Socket Mode, with Slack's limits enforced. */
export interface SimulatedSlack {
  /** For `slackApiUrl`: ends with `/api/`. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  /** Makes a new one, which alone is good from now on; answers it. */
  rotate(name: 'botToken' | 'signingSecret'): string;
  readonly workspace: Workspace;
  /** Every command, click, submission and event with its acknowledgement, in order of their end. */
  readonly acknowledgements: readonly Acknowledgement[];
  latencies(type?: EnvelopeType): Latencies;
  /** Every call of the Web API. */
  readonly calls: readonly LoggedCall[];
  /** The app listens here for requests (`http://127.0.0.1:port/slack/events`); null = it uses Socket Mode. */
  connectApp(requestUrl: string | null): void;
  as(name: PersonName): PersonInSlack;
  /** So many people more, in every channel and in no group. */
  crowd(count: number): readonly PersonInSlack[];
  channel(name: string): ChannelView;
  /** Messages that everybody in the channel sees, oldest first; deleted ones left out. */
  messages(channel: string): readonly Message[];
  /** What was uploaded under a file's id; null = nothing, or not yet. */
  file(id: string): { readonly name: string; readonly content: Buffer } | null;
  readonly waitFor: WaitFor;
  setMembers(groupId: string, users: readonly string[]): void;
  /** Cuts every connection, and is away for new ones until `comeBack`. */
  goDown(how?: Outage): void;
  comeBack(): void;
  /** The next call of the method is answered with 429 and so many seconds in Retry-After. */
  limitOnce(method: string, seconds: number): void;
  /** The next call of the method fails with this error code. */
  failOnce(method: string, error: string): void;
  /** The next call of the method is carried out, and its answer is lost on the way. */
  loseAnswerOnce(method: string): void;
  /** How many connections apps have open in Socket Mode. */
  readonly socketConnections: number;
  /** Asks apps to connect anew, as Slack does every few hours; `cut` ends their connections without a word. */
  refreshSockets(): void;
  cutSockets(): void;
  /** A request as a stranger might send it; answers its HTTP status. HTTP mode only. */
  sendForged(kind: ForgeryKind, text: string): Promise<number>;
  /** The last request once more, byte by byte. HTTP mode only. */
  sendReplay(): Promise<RawReply>;
  stop(): Promise<void>;
}

/** Starts a workspace on 127.0.0.1. */
export async function startSlack(options: SlackOptions = {}): Promise<SimulatedSlack> {
  const time = options.time ?? realTime;
  const secrets = {
    botToken: options.botToken ?? `xoxb-sandbox-${randomBytes(12).toString('hex')}`,
    appToken: options.appToken ?? `xapp-sandbox-${randomBytes(12).toString('hex')}`,
    signingSecret: options.signingSecret ?? randomBytes(16).toString('hex'),
  };
  const faults = createFaults();
  const workspace = createWorkspace(time.now);
  const views = createViews(workspace);
  const triggers = createTriggers(time.now);
  const responseUrls = createResponseUrls(workspace, time.now);
  const uploads = createUploads();
  let origin = '';
  let socket: SocketSide | null = null;
  const place = {
    workspace,
    views,
    triggers,
    responseUrls,
    uploads,
    baseUrl: () => `http://${origin}`,
    socketUrl: () => `ws://${origin}${socket?.openPath() ?? ''}`,
  };
  const scopes = options.scopes ?? null;
  const api = createApi({ secrets, scopes, place, rates: createRates(time.now), faults, now: time.now });
  const server = createSlackServer({ api, responseUrls, uploads, faults });
  socket = openSocketSide(server, { isDown: () => faults.down !== null, now: time.now });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  const requests = createRequests();
  let url: string | null = null;
  const requestUrl = (): string | null => url;
  const delivery = createDelivery({ secrets, requestUrl, requests, socket, time, changed: workspace.changed });
  const forgery = createForgery({ secrets, requestUrl, requests, delivery, time });
  const waitFor = createWaitFor(workspace.changes, () => lastMessages(workspace));
  const stage: Stage = { ...place, delivery, time, waitFor, chosen: new Map(), suggested: new Map() };
  return {
    appToken: secrets.appToken,
    get botToken() {
      return secrets.botToken;
    },
    get signingSecret() {
      return secrets.signingSecret;
    },
    rotate(name) {
      secrets[name] = `${secrets[name].slice(0, 4)}-${randomBytes(12).toString('hex')}`;
      return secrets[name];
    },
    apiUrl: `http://${origin}/api/`,
    calls: api.log,
    connectApp: (requestsTo) => {
      url = requestsTo;
    },
    ...reading(stage),
    file: (id) => uploads.content(id),
    ...troubles(faults, server, socket, forgery),
    get socketConnections() {
      return socket.connections;
    },
    stop: () => stop(server, socket, requests),
  };
}

function stranger(index: number): Member {
  const number = String(index).padStart(4, '0');
  return { id: `U0CRO${number}`, name: `crowd-${number}`, realName: `Somebody ${number}` };
}

function lastMessages({ messages }: Workspace): string {
  return `the last messages were ${JSON.stringify(messages.slice(-3).map(({ text }) => text))}`;
}

type Reading = Pick<
  SimulatedSlack,
  'workspace' | 'acknowledgements' | 'latencies' | 'as' | 'crowd' | 'channel' | 'messages' | 'waitFor' | 'setMembers'
>;

function reading(stage: Stage): Reading {
  const { workspace, delivery, waitFor } = stage;
  return {
    workspace,
    waitFor,
    acknowledgements: delivery.log,
    latencies: (type) => measureLatencies(delivery.log, type),
    as: (name) => createPerson(stage, people[name]),
    crowd: (count) =>
      Array.from({ length: count }, (_, index) => {
        const member = stranger(index);
        for (const channel of workspace.channels.values()) if (!channel.isDirect) channel.members.add(member.id);
        return createPerson(stage, member);
      }),
    channel: (name) => viewChannel(workspace, name),
    messages: (name) => viewChannel(workspace, name).messages(),
    setMembers: (groupId, users) => {
      workspace.groups.set(groupId, [...users]);
      workspace.changed();
    },
  };
}

type Troubles = Pick<
  SimulatedSlack,
  | 'goDown'
  | 'comeBack'
  | 'limitOnce'
  | 'failOnce'
  | 'loseAnswerOnce'
  | 'refreshSockets'
  | 'cutSockets'
  | 'sendForged'
  | 'sendReplay'
>;

type HttpServer = ReturnType<typeof createSlackServer>;

function troubles(faults: Faults, server: HttpServer, socket: SocketSide, forgery: Forgery): Troubles {
  let port = 0;
  return {
    goDown: (how = 'cut') => {
      faults.down = how;
      ({ port } = server.address() as AddressInfo);
      if (how === 'refused') server.close();
      server.closeAllConnections();
      socket.cut();
    },
    comeBack: () => {
      if (faults.down === 'refused') server.listen(port, '127.0.0.1');
      faults.down = null;
    },
    limitOnce: (method, seconds) => faults.order(method, { kind: 'limited', seconds }),
    failOnce: (method, error) => faults.order(method, { kind: 'failed', error }),
    loseAnswerOnce: (method) => faults.order(method, { kind: 'answer-lost' }),
    refreshSockets: () => socket.refresh(),
    cutSockets: () => socket.cut(),
    sendForged: async (kind, text) => (await forgery.send(kind, text)).status,
    sendReplay: () => forgery.replay(),
  };
}

async function stop(server: HttpServer, socket: SocketSide, requests: Requests): Promise<void> {
  requests.close();
  await socket.close();
  const closed = server.listening ? once(server, 'close') : null;
  server.close();
  server.closeAllConnections();
  await closed;
}

export type { OpenView } from './views.ts';
export type { Acknowledgement, Message, PersonInSlack };
