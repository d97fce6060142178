import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseJson, readBody } from '../slack/body.ts';
import { people } from '../slack/people.ts';
import type { SimulatedSlack } from '../slack/slack.ts';
import { type ActAnswer, actSchema, carryOut } from './acts.ts';
import { type Bundle, bundlePage } from './bundle.ts';
import { readPlace } from './place.ts';
import type { PlaceEntry } from './scene.ts';
import { streamScene } from './scene-stream.ts';

export interface Console {
  /** `http://127.0.0.1:<port>/` */
  readonly url: string;
  close(): Promise<void>;
}

/** No script but our own, nothing from elsewhere, in nobody's frame. */
const guards = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** A comment goes down the stream so often, in milliseconds, so that neither side takes silence for an end. */
const heartbeat = 15_000;

interface Parts {
  readonly slack: SimulatedSlack;
  readonly place: PlaceEntry;
  readonly bundle: Bundle;
}

/** Serves the workspace as a page, to this machine only; whoever reaches it acts as anybody in the simulated workspace. */
export async function serveConsole(slack: SimulatedSlack, port = 0): Promise<Console> {
  const parts = { slack, place: await readPlace(), bundle: await bundlePage() };
  for (const { id } of Object.values(people)) slack.workspace.channel(id);
  const server = createServer((request, response) => {
    answer(parts, server, request, response).catch((error: unknown) =>
      sendJson(response, 500, { complaint: error instanceof Error ? error.message : 'It did not work.' }),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}/`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(parts: Parts, server: Server, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A name that somebody points at 127.0.0.1 is no way in: pages of that name could otherwise ask here.
  const hosts = [`127.0.0.1:${portOf(server)}`, `localhost:${portOf(server)}`];
  const host = request.headers.host ?? '';
  if (!hosts.includes(host)) return sendJson(response, 403, { complaint: 'This is for this machine only.' });
  const { pathname } = new URL(request.url ?? '/', `http://${host}`);
  if (request.method === 'POST') {
    const ours = request.headers.origin === `http://${host}` && isJson(request);
    if (pathname !== '/acts') return sendJson(response, 404, { complaint: 'There is nothing here.' });
    if (!ours) return sendJson(response, 403, { complaint: 'Only the page itself may ask.' });
    return act(parts, request, response);
  }
  if (request.method !== 'GET') return sendJson(response, 405, { complaint: 'There is nothing here.' });
  const file = parts.bundle.get(pathname);
  if (file) return send(response, 200, file.type, file.body);
  if (pathname === '/events') return stream(parts, response);
  if (pathname.startsWith('/files/')) return sendUpload(parts, response, pathname.slice('/files/'.length));
  sendJson(response, 404, { complaint: 'There is nothing here.' });
}

async function act({ slack }: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = actSchema.safeParse(parseJson((await readBody(request)).toString('utf8')));
  if (!asked.success)
    return sendJson(response, 400, { complaint: 'The page asked for something that does not exist.' });
  const result = await carryOut(slack, asked.data).catch(
    (error: unknown): ActAnswer => ({ complaint: error instanceof Error ? error.message : 'It did not work.' }),
  );
  sendJson(response, 200, result);
}

function stream({ slack, place }: Parts, response: ServerResponse): void {
  response.writeHead(200, { ...guards, 'content-type': 'text/event-stream' });
  const stop = streamScene(slack, place, (change) => void response.write(`data: ${JSON.stringify(change)}\n\n`));
  const beat = setInterval(() => void response.write(':\n\n'), heartbeat);
  response.once('close', () => {
    clearInterval(beat);
    stop();
  });
}

const pictures: Readonly<Record<string, string>> = {
  '89504e47': 'image/png',
  ffd8ff: 'image/jpeg',
  '47494638': 'image/gif',
};

/** A picture is shown; anything else is only ever downloaded. */
function sendUpload({ slack }: Parts, response: ServerResponse, id: string): void {
  const file = slack.file(id);
  if (!file) {
    sendJson(response, 404, { complaint: 'There is no such file.' });
    return;
  }
  const start = file.content.subarray(0, 4).toString('hex');
  const type = Object.entries(pictures).find(([first]) => start.startsWith(first))?.[1];
  if (!type) response.setHeader('content-disposition', 'attachment');
  send(response, 200, type ?? 'application/octet-stream', file.content);
}

function isJson(request: IncomingMessage): boolean {
  return request.headers['content-type']?.split(';')[0] === 'application/json';
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function sendJson(response: ServerResponse, status: number, content: ActAnswer): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(content));
}

function send(response: ServerResponse, status: number, type: string, body: Uint8Array | string): void {
  response.writeHead(status, { ...guards, 'content-type': type });
  response.end(body);
}
