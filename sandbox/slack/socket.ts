import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { parseJson } from './body.ts';
import { isObject } from './limits/rules.ts';
import { bot } from './people.ts';

/** A connection's URL lets one client in, within this time in milliseconds. */
const ticketLifetime = 30_000;
const mostConnections = 10;
const pingEvery = 10_000;

/** How an envelope got on: the acknowledgement's body when it comes; null when the connection ended before. */
export type EnvelopeEnd = string | null;

/** Socket Mode: connections that apps open, and envelopes that go through them. */
export interface SocketSide {
  /** Path and query of a URL that lets one connection in. */
  openPath(): string;
  readonly connections: number;
  /** Null: no app is connected. Each envelope goes to one connection, in turn. */
  send(type: string, payload: object, more?: object): Promise<EnvelopeEnd> | null;
  /** Asks every app to connect anew, as Slack does every few hours. */
  refresh(): void;
  /** Cuts the connections without a word. */
  cut(): void;
  close(): Promise<void>;
}

export function openSocketSide(server: Server, options: { isDown(): boolean; now(): number }): SocketSide {
  const sockets = new WebSocketServer({ noServer: true });
  const tickets = new Map<string, number>();
  const waiting = new Map<string, { readonly socket: WebSocket; end(body: EnvelopeEnd): void }>();
  let turn = 0;
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const ticket = new URL(request.url ?? '/', 'http://slack').searchParams.get('ticket') ?? '';
    const born = tickets.get(ticket);
    tickets.delete(ticket);
    const late = born === undefined || options.now() - born > ticketLifetime;
    if (options.isDown() || late || sockets.clients.size >= mostConnections) return void stream.destroy();
    sockets.handleUpgrade(request, stream, head, (socket) => welcome(socket, sockets.clients.size, waiting));
  });
  const pings = setInterval(() => {
    for (const socket of sockets.clients) socket.ping();
  }, pingEvery).unref();
  const open = (): WebSocket[] => [...sockets.clients].filter((socket) => socket.readyState === socket.OPEN);
  const cut = (): void => {
    for (const socket of sockets.clients) socket.terminate();
  };
  return {
    openPath() {
      const ticket = randomBytes(12).toString('hex');
      tickets.set(ticket, options.now());
      return `/link/?ticket=${ticket}&app_id=${bot.appId}`;
    },
    get connections() {
      return open().length;
    },
    send(type, payload, more = {}) {
      const all = open();
      turn += 1;
      const socket = all[turn % all.length];
      if (!socket) return null;
      const id = randomUUID();
      return new Promise((resolve) => {
        const end = (body: EnvelopeEnd): void => {
          waiting.delete(id);
          resolve(body);
        };
        waiting.set(id, { socket, end });
        const envelope = { envelope_id: id, type, accepts_response_payload: type !== 'events_api', ...more, payload };
        socket.send(JSON.stringify(envelope));
      });
    },
    refresh() {
      for (const socket of open()) socket.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested' }));
    },
    cut,
    async close() {
      clearInterval(pings);
      await Promise.all([...sockets.clients].map(farewell));
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
    },
  };
}

/** A client that is not told goodbye waits half a minute for it, which would keep its process alive. */
async function farewell(socket: WebSocket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const timer = setTimeout(() => socket.terminate(), 500);
  socket.close(1001);
  await closed;
  clearTimeout(timer);
}

type Waiting = Map<string, { readonly socket: WebSocket; end(body: EnvelopeEnd): void }>;

function welcome(socket: WebSocket, connections: number, waiting: Waiting): void {
  const hello = {
    type: 'hello',
    num_connections: connections,
    debug_info: { host: 'sandbox', build_number: 1, approximate_connection_time: 18_060 },
    connection_info: { app_id: bot.appId },
  };
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const message = parseJson(String(data));
    if (!isObject(message) || typeof message.envelope_id !== 'string') return;
    const { payload } = message;
    const bare = payload === undefined || (isObject(payload) && Object.keys(payload).length === 0);
    waiting.get(message.envelope_id)?.end(bare ? '' : JSON.stringify(payload));
  });
  socket.on('close', () => {
    for (const entry of waiting.values()) if (entry.socket === socket) entry.end(null);
  });
  socket.send(JSON.stringify(hello));
}
