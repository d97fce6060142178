import type { IncomingMessage } from 'node:http';
import { readFields } from './body.ts';
import type { Faults } from './faults.ts';
import type { Rates } from './limits/rates.ts';
import { type Answer, type Fields, fail, type Place, textOf } from './web-api/call.ts';
import { methods, scopesOf } from './web-api/methods.ts';

/** A call of the Web API, as it was answered. */
export interface LoggedCall {
  readonly method: string;
  readonly fields: Fields;
  readonly answer: Answer;
  /** When it came, in milliseconds, and how long the answer took. */
  readonly at: number;
  readonly ms: number;
}

export interface ApiOptions {
  /** As they are at each call. */
  readonly secrets: { readonly botToken: string; readonly appToken: string };
  /** What the app was granted; null = everything. */
  readonly scopes: readonly string[] | null;
  readonly place: Place;
  readonly rates: Rates;
  readonly faults: Faults;
  readonly now: () => number;
}

export interface ApiReply {
  readonly answer: Answer;
  readonly status: number;
  readonly headers: Record<string, string>;
  /** True where the connection is to be cut instead. */
  readonly lost: boolean;
}

/** Answers calls as Slack does: token, scope, rate, arguments, in this order. */
export interface Api {
  readonly log: readonly LoggedCall[];
  call(request: IncomingMessage, url: URL): Promise<ApiReply>;
}

export function createApi(options: ApiOptions): Api {
  const log: LoggedCall[] = [];
  return {
    log,
    async call(request, url) {
      const at = options.now();
      const method = url.pathname.replace(/^\/api\//, '');
      const read = await readFields(request, url);
      const { token: _, ...fields } = typeof read === 'string' ? {} : read;
      const fault = options.faults.take(method);
      const reply = (answer: Answer, status = 200, headers: Record<string, string> = {}): ApiReply => {
        log.push({ method, fields, answer, at, ms: options.now() - at });
        options.place.workspace.changed();
        return { answer, status, headers, lost: fault?.kind === 'answer-lost' };
      };
      if (typeof read === 'string') return reply(fail(read));
      const refused = refuse(options, method, tokenOf(request, read));
      if (refused) return reply(refused);
      const seconds = fault?.kind === 'limited' ? fault.seconds : options.rates(method, channelName(options, fields));
      if (seconds > 0) return reply(fail('ratelimited'), 429, { 'retry-after': String(seconds) });
      if (fault?.kind === 'failed') return reply(fail(fault.error));
      const answer = methods[method]?.({ ...options.place, fields }) ?? fail('unknown_method');
      return reply(answer);
    },
  };
}

function tokenOf(request: IncomingMessage, fields: Fields): string {
  return request.headers.authorization?.replace(/^Bearer\s+/i, '') ?? textOf(fields, 'token');
}

/** The same channel counts once, by whatever name it is called. */
function channelName({ place }: ApiOptions, fields: Fields): string | null {
  const name = textOf(fields, 'channel');
  return name === '' ? null : (place.workspace.channel(name)?.id ?? name);
}

function refuse({ secrets, scopes }: ApiOptions, method: string, token: string): Answer | null {
  const { botToken, appToken } = secrets;
  if (!Object.hasOwn(methods, method)) return fail('unknown_method', { req_method: method });
  if (method === 'api.test') return null;
  if (token === '') return fail('not_authed');
  if (token !== botToken && token !== appToken) return fail('invalid_auth');
  const wanted = method === 'apps.connections.open' ? appToken : botToken;
  if (token !== wanted) return fail('not_allowed_token_type');
  const needed = scopesOf[method];
  if (scopes === null || !needed || needed.some((scope) => scopes.includes(scope))) return null;
  return fail('missing_scope', { needed: needed[0], provided: scopes.join(',') });
}
