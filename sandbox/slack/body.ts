import type { IncomingMessage } from 'node:http';
import { isObject } from './limits/rules.ts';
import type { Fields } from './web-api/call.ts';

const mostBytes = 20_000_000;

/** The whole body. Throws when it is larger than Slack would take. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The fields of a call, from its query and its body: JSON, form or multipart. A string is Slack's error code. */
export async function readFields(request: IncomingMessage, url: URL): Promise<Fields | string> {
  const body = await readBody(request);
  const query = Object.fromEntries(url.searchParams);
  if (body.length === 0) return query;
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/json')) {
    const parsed = parseJson(body.toString('utf8'));
    if (parsed === undefined) return 'invalid_json';
    return isObject(parsed) ? { ...query, ...parsed } : 'json_not_object';
  }
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return { ...query, ...Object.fromEntries(new URLSearchParams(body.toString('utf8'))) };
  }
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    return { ...query, ...Object.fromEntries(form) };
  }
  return 'invalid_post_type';
}

/** Undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
