import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import type { Secret } from '../../shared/secret.ts';
import { codeOf, type ErrorPlace, toFailure } from './failure.ts';

export interface S3Options {
  /** The system's configured name, for messages. */
  readonly name: string;
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: Secret;
  readonly bucket: string;
  readonly region?: string;
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** The system's bucket when absent. */
  readonly bucket?: string;
  readonly key?: string;
  /** Values are encoded here. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** S3 codes that are an answer (null), not a failure. */
  readonly allow?: readonly string[];
}

export interface S3Answer {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Signed requests to one server. Every error is a `Failure`. */
export interface S3 {
  readonly place: ErrorPlace;
  readonly bucket: string;
  /** The whole answer; null where the server answered with one of the allowed codes. */
  request(request: S3Request): Promise<S3Answer | null>;
  /** The same with the answer's body as a stream, and as bytes. */
  open(request: S3Request): Promise<http.IncomingMessage | null>;
  read(request: S3Request): Promise<Buffer | null>;
  /** Sends a body of known length and SHA-256 without holding it in memory. */
  send(request: Omit<S3Request, 'body'>, body: Readable, bytes: number, sha256: string): Promise<S3Answer>;
  /** How often the server asked to slow down within these last milliseconds. */
  askedToSlowDown(withinMs: number): number;
  close(): void;
}

/** Milliseconds without a byte in either direction. */
const silence = 60_000;
const expected = [200, 204, 206];

/** Opens no connection yet. */
export function connectS3(options: S3Options): S3 {
  const url = new URL(options.url);
  const secure = url.protocol === 'https:';
  const agent = new (secure ? https : http).Agent({ keepAlive: true, maxSockets: 16 });
  const region = options.region ?? 'us-east-1';
  const client = new Client({
    endPoint: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 443 : 80),
    useSSL: secure,
    accessKey: options.accessKey,
    secretKey: options.secretKey.reveal(),
    region,
    transportAgent: agent,
    transport: { request: withSilenceLimit(secure ? https : http) } as typeof http,
    // Repeating is the engine's business, and a stream cannot be sent twice.
    retryOptions: { disableRetry: true },
  });
  const place = { system: options.name, at: url.host, bucket: options.bucket };

  const slowDowns: number[] = [];
  const open = async (request: S3Request): Promise<http.IncomingMessage | null> => {
    try {
      return await client.makeRequestAsync(
        driverRequest(request, options.bucket),
        request.body ?? '',
        expected,
        region,
      );
    } catch (error) {
      noteSlowDown(slowDowns, error);
      if (request.allow?.includes(codeOf(error))) return null;
      throw toFailure(error, place);
    }
  };
  const read = async (request: S3Request): Promise<Buffer | null> => {
    const answer = await open(request);
    return answer && guarded(place, () => buffer(answer));
  };
  return {
    place,
    bucket: options.bucket,
    open,
    read,
    async request(request) {
      const answer = await open(request);
      return answer && { headers: answer.headers, body: (await guarded(place, () => buffer(answer))).toString() };
    },
    send: (request, body, bytes, sha256) =>
      guarded(place, async () => {
        const headers = { ...request.headers, 'content-length': String(bytes) };
        const answer = await client.makeRequestStreamAsync(
          driverRequest({ ...request, headers }, options.bucket),
          body,
          client.enableSHA256 ? sha256 : '',
          expected,
          region,
        );
        return { headers: answer.headers, body: (await buffer(answer)).toString() };
      }),
    askedToSlowDown: (withinMs) => slowDowns.filter((at) => at > performance.now() - withinMs).length,
    close: () => agent.destroy(),
  };
}

/** Only the last few are remembered: what matters is whether there were any. */
function noteSlowDown(slowDowns: number[], error: unknown): void {
  if (!/^(SlowDown|ServiceUnavailable)/.test(codeOf(error))) return;
  slowDowns.push(performance.now());
  if (slowDowns.length > 100) slowDowns.shift();
}

async function guarded<T>(place: ErrorPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toFailure(error, place);
  }
}

function driverRequest(request: S3Request, bucket: string) {
  const query = Object.entries(request.query ?? {}).map(([name, value]) => `${name}=${encode(value)}`);
  return {
    method: request.method,
    bucketName: request.bucket ?? bucket,
    ...(request.key === undefined ? {} : { objectName: request.key }),
    ...(query.length > 0 ? { query: query.join('&') } : {}),
    headers: { ...(request.body ? { 'content-md5': md5(request.body) } : {}), ...request.headers },
  };
}

/** As the signature wants it: everything but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function md5(body: string | Buffer): string {
  return createHash('md5').update(body).digest('base64');
}

/** The driver waits for ever for a server that fell silent. */
function withSilenceLimit(protocol: typeof http | typeof https): typeof http.request {
  return ((options: http.RequestOptions, answer: (response: http.IncomingMessage) => void) => {
    const request = protocol.request(options, answer);
    request.setTimeout(silence, () => {
      request.destroy(Object.assign(new Error('silent for a minute'), { code: 'ETIMEDOUT' }));
    });
    return request;
  }) as typeof http.request;
}
