import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { signedHeaders } from './signing.ts';

/** Slack waits this long for an acknowledgement, in milliseconds. */
export const patience = 3_000;

export interface Acknowledgement {
  /** HTTP status; 200 for an acknowledged envelope; null when nothing came within three seconds. */
  readonly status: number | null;
  /** The body: text or JSON, empty when it was a bare acknowledgement. */
  readonly body: string;
  readonly ms: number;
}

export type EnvelopeType = 'slash_commands' | 'interactive' | 'events_api';

/** Takes payloads to the app, over HTTP with a signature or through the socket that the app has opened. */
export interface Delivery {
  readonly socketUrl: string;
  deliver(type: EnvelopeType, payload: Record<string, unknown>): Promise<Acknowledgement>;
  /** Ends every socket, as Slack does now and then: the app has to come back. */
  dropSockets(): void;
  close(): Promise<void>;
}

interface Options {
  readonly signingSecret: string;
  /** Where the app listens for requests; null = it uses Socket Mode. */
  readonly requestUrl: () => string | null;
}

/** Opens the socket server at once; which way is used depends on the app. */
export async function openDelivery({ signingSecret, requestUrl }: Options): Promise<Delivery> {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => sockets.once('listening', resolve));
  const waiting = new Map<string, (body: string) => void>();
  sockets.on('connection', (socket) => greet(socket, waiting));
  const pings = setInterval(() => {
    for (const socket of sockets.clients) socket.ping();
  }, 5_000).unref();
  return {
    socketUrl: `ws://127.0.0.1:${(sockets.address() as AddressInfo).port}/link`,
    async deliver(type, payload) {
      const url = requestUrl();
      const started = performance.now();
      const sent =
        url === null ? sendEnvelope(sockets, waiting, type, payload) : sendRequest(url, signingSecret, type, payload);
      const result = await sent;
      return { ...result, ms: performance.now() - started };
    },
    dropSockets() {
      for (const socket of sockets.clients) socket.close();
    },
    async close() {
      clearInterval(pings);
      for (const socket of sockets.clients) socket.close();
      await new Promise<void>((resolve) => {
        sockets.close(() => resolve());
        const late = (): void => {
          for (const socket of sockets.clients) socket.terminate();
        };
        setTimeout(late, 500).unref();
      });
    },
  };
}

function greet(socket: WebSocket, waiting: Map<string, (body: string) => void>): void {
  socket.send(
    JSON.stringify({
      type: 'hello',
      num_connections: 1,
      debug_info: { host: 'sandbox' },
      connection_info: { app_id: 'A0TASBOT0' },
    }),
  );
  socket.on('message', (data) => {
    const { envelope_id: id, payload } = JSON.parse(String(data)) as { envelope_id?: string; payload?: unknown };
    if (id === undefined) return;
    waiting.get(id)?.(payload === undefined ? '' : JSON.stringify(payload));
    waiting.delete(id);
  });
}

type Sent = Omit<Acknowledgement, 'ms'>;

async function sendEnvelope(
  sockets: WebSocketServer,
  waiting: Map<string, (body: string) => void>,
  type: EnvelopeType,
  payload: Record<string, unknown>,
): Promise<Sent> {
  const socket = [...sockets.clients].find((candidate) => candidate.readyState === candidate.OPEN);
  if (!socket) return { status: null, body: '' };
  const id = randomUUID();
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      waiting.delete(id);
      resolve({ status: null, body: '' });
    }, patience);
    waiting.set(id, (body) => {
      clearTimeout(timer);
      resolve({ status: 200, body });
    });
    socket.send(JSON.stringify({ envelope_id: id, type, payload, accepts_response_payload: true }));
  });
}

async function sendRequest(
  url: string,
  secret: string,
  type: EnvelopeType,
  payload: Record<string, unknown>,
): Promise<Sent> {
  const body = formBody(type, payload);
  const headers: Record<string, string> = signedHeaders(secret, body, Math.floor(Date.now() / 1000));
  if (type === 'events_api') headers['content-type'] = 'application/json';
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(patience) });
    return { status: response.status, body: await response.text() };
  } catch {
    return { status: null, body: '' };
  }
}

/** Commands are plain form fields, interactions one field `payload`, events a JSON body. */
export function formBody(type: EnvelopeType, payload: Record<string, unknown>): string {
  if (type === 'events_api') return JSON.stringify(payload);
  if (type === 'interactive') return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return new URLSearchParams(
    Object.entries(payload).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
}
