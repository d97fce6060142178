import { Failure } from '../../shared/failure.ts';
import type { Secret } from '../../shared/secret.ts';

export interface HttpOptions {
  /** The configured name. */
  readonly name: string;
  /** Every path lies under it. */
  readonly url: string;
  /** Sent with every request, unless the request has a header of that name itself. */
  readonly header?: { readonly name: string; readonly value: Secret };
}

export interface HttpRequest {
  readonly method: string;
  /** Begins with a slash; under the configured address. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Milliseconds for the whole answer. */
  readonly withinMs: number;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Undefined where the body is no JSON. */
  readonly json: unknown;
}

/** One service. Redirects are answers, and not followed: the header goes nowhere else. */
export interface Client {
  readonly name: string;
  /** `host:port/path`, safe to show. */
  readonly at: string;
  /** Who the service is: where it is. */
  readonly origin: string;
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** Larger answers are refused. */
const mostBytes = 2_000_000;

export function connectHttp({ name, url, header }: HttpOptions): Client {
  const base = new URL(url);
  const folder = base.pathname.replace(/\/+$/, '');
  const place = { name, at: `${base.host}${folder}` };
  return {
    ...place,
    origin: `${base.origin}${folder}`,
    async send({ method, path, headers = {}, body, withinMs, signal }) {
      const target = placeUnder(place, `${base.origin}${folder}`, path);
      const limit = AbortSignal.timeout(withinMs);
      const sent = new Headers(header ? { [header.name]: header.value.reveal() } : {});
      for (const [key, value] of Object.entries(headers)) sent.set(key, value);
      if (body !== undefined) sent.set('content-type', 'application/json');
      try {
        const response = await fetch(target, {
          method,
          headers: sent,
          redirect: 'manual',
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { status: response.status, json: parseJson(await readBody(place, response)) };
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (signal?.aborted) throw stopped(place);
        throw unreachable(
          place,
          limit.aborted ? `does not answer within ${withinMs / 1000} s` : reasonOf(error),
          error,
        );
      }
    },
  };
}

interface Place {
  readonly name: string;
  readonly at: string;
}

/** Throws `not-allowed` for a path that leads out of the configured address, `..` and other hosts included. */
function placeUnder(place: Place, base: string, path: string): URL {
  const root = new URL(base);
  const target = URL.canParse(`${base}${path}`) ? new URL(`${base}${path}`) : null;
  const folder = root.pathname === '/' ? '' : root.pathname;
  const stays = target?.origin === root.origin && target.pathname.startsWith(`${folder}/`) && target.username === '';
  // What a proxy behind would take for a slash or a dot is refused as well.
  if (target && stays && path.startsWith('/') && !/\\|\/\/|%2f|%5c|%2e%2e/i.test(target.pathname)) return target;
  throw new Failure({
    code: 'not-allowed',
    message: `${place.name}: a path leads out of ${place.at}.`,
    advice: 'Write paths that begin with one slash and stay under the configured address. Nothing was sent.',
  });
}

async function readBody(place: Place, response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > mostBytes) {
      const message = `${place.name} (${place.at}) answers with more than ${mostBytes / 1_000_000} MB.`;
      throw new Failure({ code: 'step-failed', message, advice: 'Ask for less, page by page. The rest was not read.' });
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function reasonOf(error: unknown): string {
  const code = (error as { cause?: { code?: string } }).cause?.code ?? '';
  if (code === 'ECONNREFUSED') return 'cannot be reached: nothing listens there';
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) return 'cannot be reached: its host name is not known';
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return 'cannot be reached: its certificate is not trusted';
  return 'cannot be reached: the connection fails';
}

function unreachable({ name, at }: Place, why: string, cause: unknown): Failure {
  const message = `${name} (${at}) ${why}.`;
  return new Failure({
    code: 'unreachable',
    message,
    advice: 'Start it or correct its address.',
    retryable: true,
    cause,
  });
}

function stopped({ name, at }: Place): Failure {
  const advice = 'It goes on from there.';
  return new Failure({
    code: 'cancelled',
    message: `${name} (${at}) was stopped on request.`,
    advice,
    retryable: true,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
