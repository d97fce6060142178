import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Api } from './api.ts';
import { readBody, readFields } from './body.ts';
import type { Faults } from './faults.ts';
import type { ResponseUrls } from './response-urls.ts';
import { type Answer, fail } from './web-api/call.ts';
import type { Uploads } from './web-api/uploads.ts';

export interface ServerParts {
  readonly api: Api;
  readonly responseUrls: ResponseUrls;
  readonly uploads: Uploads;
  readonly faults: Faults;
}

/** The workspace's HTTP side: `/api/`, the response_urls and the uploads. */
export function createSlackServer(parts: ServerParts): Server {
  return createServer((request, response) => {
    const { down } = parts.faults;
    if (down === 'silent') return;
    if (down === 'unavailable') return sendJson(response, fail('service_unavailable'), 503);
    if (down !== null) return void request.socket.destroy();
    void answer(parts, request, response).catch(() => response.destroy());
  });
}

async function answer(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://slack');
  if (url.pathname.startsWith('/api/')) {
    const reply = await parts.api.call(request, url);
    if (reply.lost) return void response.destroy();
    return sendJson(response, reply.answer, reply.status, reply.headers);
  }
  if (/^\/(commands|actions)\//.test(url.pathname)) return answerResponseUrl(parts, request, response, url);
  if (url.pathname.startsWith('/upload/')) return takeUpload(parts, request, response, url);
  sendJson(response, fail('not_found'), 404);
}

/** `ok` as text, or the refusal with a status that Bolt's `respond` notices. */
async function answerResponseUrl(
  { responseUrls }: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const fields = await readFields(request, url);
  const result = typeof fields === 'string' ? fail('invalid_payload') : responseUrls.answer(url.pathname, fields);
  if (!result.ok) return sendJson(response, result, /^(expired|used)_url$/.test(result.error ?? '') ? 404 : 400);
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('ok');
}

async function takeUpload(
  { uploads }: ServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const upload = uploads.find(url.pathname.replace('/upload/', ''));
  if (!upload) return sendJson(response, fail('file_not_found'), 404);
  const content = await uploadedBytes(request);
  if (content.length !== upload.length) return sendJson(response, fail('length_mismatch'), 400);
  upload.content = content;
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(`OK - ${content.length}`);
}

async function uploadedBytes(request: IncomingMessage): Promise<Buffer> {
  const body = await readBody(request);
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return body;
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const file = [...form.values()].find((value) => typeof value !== 'string');
  return file ? Buffer.from(await file.arrayBuffer()) : Buffer.alloc(0);
}

function sendJson(response: ServerResponse, result: Answer, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(result));
}
