import type { IncomingMessage } from 'node:http';
import type { Fields } from './web-api/answer.ts';

const mostBytes = 1_000_000;

/** The fields of a request's body: JSON or form-encoded. */
export async function readFields(request: IncomingMessage): Promise<Fields> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  if (request.headers['content-type']?.includes('json')) return JSON.parse(text) as Fields;
  return Object.fromEntries(new URLSearchParams(text));
}
