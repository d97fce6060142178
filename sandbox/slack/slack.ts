import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Acknowledgement, type EnvelopeType, formBody, openDelivery } from './delivery.ts';
import { type PersonName, people } from './people.ts';
import { createPerson, type PersonInSlack } from './person.ts';
import { createResponseUrls } from './response-urls.ts';
import { createSlackServer, type LoggedCall } from './server.ts';
import { signedHeaders } from './signing.ts';
import { createWorkspace, type Message, type Workspace } from './workspace.ts';

export interface SlackOptions {
  /** Port of the Web API; 0 or absent = a free one. */
  readonly port?: number;
  /** The time in milliseconds, for rates and lifetimes. */
  readonly now?: () => number;
}

/** A Slack workspace on this machine, for the real Bolt: HTTP and Socket Mode, with Slack's limits enforced. */
export interface SimulatedSlack {
  /** For `slackApiUrl`: ends with `/api/`. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly workspace: Workspace;
  /** How long each command and click took to be acknowledged, in order. */
  readonly acknowledgements: readonly { readonly what: string; readonly ms: number; readonly status: number | null }[];
  /** Every call of the Web API. */
  readonly calls: readonly LoggedCall[];
  /** The app listens here for requests (`http://127.0.0.1:port/slack/events`); null = it uses Socket Mode. */
  connectApp(requestUrl: string | null): void;
  as(name: PersonName): PersonInSlack;
  /** Messages that everybody in the channel sees, oldest first; deleted ones left out. */
  messages(channel: string): readonly Message[];
  /** Answers as soon as `find` answers something; looks again after every change. Throws when time is up. */
  waitFor<T>(what: string, find: () => T | null | undefined | false, timeoutMs?: number): Promise<T>;
  /** Cuts every connection until `comeBack`. */
  goDown(): void;
  comeBack(): void;
  limitOnce(method: string, seconds: number): void;
  /** A request as a stranger might send it; answers its HTTP status. */
  sendForged(kind: 'unsigned' | 'wrong-signature' | 'late', text: string): Promise<number>;
  setMembers(groupId: string, users: readonly string[]): void;
  stop(): Promise<void>;
}

const botToken = 'xoxb-sandbox';
const appToken = 'xapp-sandbox';
const signingSecret = 'sandbox-signing-secret';
/** A trigger id opens one modal, within this time in milliseconds. */
const triggerLifetime = 3_000;

export async function startSlack(options: SlackOptions = {}): Promise<SimulatedSlack> {
  const now = options.now ?? Date.now;
  const workspace = createWorkspace(now);
  let requestUrl: string | null = null;
  const delivery = await openDelivery({ signingSecret, requestUrl: () => requestUrl });
  const responseUrls = createResponseUrls(workspace, now);
  const triggers = createTriggers(now);
  const call = { workspace, socketUrl: delivery.socketUrl, takeTrigger: triggers.take };
  const http = createSlackServer({ botToken, appToken, call, responseUrls, now });
  http.server.listen(options.port ?? 0, '127.0.0.1');
  await once(http.server, 'listening');
  const baseUrl = `http://127.0.0.1:${(http.server.address() as AddressInfo).port}`;
  const acknowledgements: { what: string; ms: number; status: number | null }[] = [];
  const deps = { workspace, delivery, responseUrls, baseUrl, acknowledgements, giveTrigger: triggers.give };
  return {
    apiUrl: `${baseUrl}/api/`,
    botToken,
    appToken,
    signingSecret,
    workspace,
    acknowledgements,
    calls: http.log,
    connectApp: (url) => {
      requestUrl = url;
    },
    as: (name) => createPerson(deps, people[name]),
    messages: (channel) =>
      workspace.messages.filter(
        (message) => message.channel === workspace.channelId(channel) && !message.deleted && message.onlyFor === null,
      ),
    waitFor: (what, find, timeoutMs = 30_000) => waitFor(workspace, what, find, timeoutMs),
    goDown: () => {
      http.down = true;
      http.server.closeAllConnections();
      delivery.dropSockets();
    },
    comeBack: () => {
      http.down = false;
    },
    limitOnce: (method, seconds) => http.limitOnce(method, seconds),
    sendForged: (kind, text) => sendForged(requestUrl, kind, text, now),
    setMembers: (groupId, users) => void workspace.members.set(groupId, [...users]),
    async stop() {
      http.server.closeAllConnections();
      await Promise.all([delivery.close(), new Promise<void>((resolve) => http.server.close(() => resolve()))]);
    },
  };
}

function createTriggers(now: () => number) {
  const given = new Map<string, { user: string; at: number }>();
  let count = 0;
  return {
    give(user: string): string {
      count += 1;
      const id = `${now()}.${count}`;
      given.set(id, { user, at: now() });
      return id;
    },
    take(id: string): { user: string } | 'expired_trigger_id' | 'invalid_trigger_id' {
      const trigger = given.get(id);
      given.delete(id);
      if (!trigger) return 'invalid_trigger_id';
      return now() - trigger.at > triggerLifetime ? 'expired_trigger_id' : { user: trigger.user };
    },
  };
}

function waitFor<T>(
  workspace: Workspace,
  what: string,
  find: () => T | null | undefined | false,
  timeoutMs: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const found = find();
      if (found === null || found === undefined || found === false) return;
      finish();
      resolve(found);
    };
    const timer = setTimeout(() => {
      finish();
      const last = workspace.messages.slice(-3).map((message) => message.text);
      reject(new Error(`waited ${timeoutMs} ms for ${what}; the last messages were ${JSON.stringify(last)}`));
    }, timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      workspace.changes.off('change', look);
    };
    workspace.changes.on('change', look);
    look();
  });
}

async function sendForged(
  url: string | null,
  kind: 'unsigned' | 'wrong-signature' | 'late',
  text: string,
  now: () => number,
): Promise<number> {
  if (url === null) throw new Error('the app uses Socket Mode: there is nothing to forge');
  const type: EnvelopeType = 'slash_commands';
  const body = formBody(type, {
    command: '/tas',
    text,
    user_id: people.alice.id,
    user_name: 'alice',
    trigger_id: 'forged',
    channel_id: 'C0PLATFRM',
  });
  const seconds = Math.floor(now() / 1000) - (kind === 'late' ? 600 : 0);
  const signed = signedHeaders(kind === 'wrong-signature' ? 'not the secret' : signingSecret, body, seconds);
  const headers = kind === 'unsigned' ? { 'content-type': 'application/x-www-form-urlencoded' } : signed;
  const response = await fetch(url, { method: 'POST', headers, body });
  return response.status;
}

export type { Acknowledgement, Message, PersonInSlack };
