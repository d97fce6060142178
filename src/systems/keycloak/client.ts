import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Secret } from '../../shared/secret.ts';
import { forbidden, type Place, stopped, strange, unreachable, wrongPassword } from './failure.ts';

export interface KeycloakOptions {
  /** The configured name. */
  readonly name: string;
  readonly url: string;
  readonly realm: string;
  readonly user: string;
  readonly password: Secret;
  /** The realm in which the user logs in; absent = `master`. */
  readonly loginRealm?: string;
  /** Absent = `admin-cli`. */
  readonly clientId?: string;
}

export interface Request {
  readonly method?: 'GET' | 'POST';
  readonly query?: { readonly [name: string]: string };
  /** Answers of these statuses are null instead of a failure. */
  readonly allow?: readonly number[];
  readonly signal?: AbortSignal;
}

/** One realm of a Keycloak, asked over its admin API. Errors are `Failure`s; they hold no values of users. */
export interface Client {
  readonly place: Place;
  /** `path` begins after the realm (`/users`). Null for a status that is allowed. */
  ask<T>(path: string, schema: z.ZodType<T>, request?: Request): Promise<T | null>;
  /** The same beside the realms: `/serverinfo`. */
  askServer<T>(path: string, schema: z.ZodType<T>, request?: Request): Promise<T | null>;
  /** The realm's public page: needs no rights. The status, e.g. 200 or 404. */
  askPublicly(signal?: AbortSignal): Promise<number>;
}

/** Milliseconds for one answer, and how often a server that is busy is asked. */
const answerWithin = 30_000;
const tries = 3;
/** A token is renewed this long before it ends. */
const marginMs = 10_000;

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number() });

export function connectKeycloak(options: KeycloakOptions): Client {
  const { url, realm } = options;
  const root = url.replace(/\/+$/, '');
  const { host, pathname } = new URL(root);
  const place: Place = { name: options.name, at: `${host}${pathname === '/' ? '' : pathname}`, realm };
  const tokens = createTokens(place, root, options);
  const realmPath = `/admin/realms/${encodeURIComponent(realm)}`;
  const ask = async <T>(path: string, schema: z.ZodType<T>, request: Request = {}): Promise<T | null> => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await askOnce(path, schema, request);
      } catch (error) {
        if (!(error instanceof Failure) || !error.retryable || tried >= tries) throw error;
        await pause(300 * tried, undefined, request.signal ? { signal: request.signal } : {}).catch((cause) => {
          throw stopped(place, cause);
        });
      }
    }
  };
  const askOnce = async <T>(path: string, schema: z.ZodType<T>, request: Request) => {
    const { method = 'GET', query, allow = [], signal } = request;
    const parameters = query ? `?${new URLSearchParams({ ...query })}` : '';
    const send = async (token: string): Promise<Answer> =>
      post(place, `${root}${path}${parameters}`, { method, headers: { authorization: `Bearer ${token}` } }, signal);
    let answer = await send(await tokens.get(signal));
    // A server that was started anew, or whose sessions were ended, does not know the token any more.
    if (answer.status === 401) answer = await send(await tokens.renew(signal));
    if (allow.includes(answer.status)) return null;
    return read(place, answer, schema);
  };
  return {
    place,
    ask: (path, schema, request) => ask(`${realmPath}${path}`, schema, request),
    askServer: (path, schema, request) => ask(`/admin${path}`, schema, request),
    async askPublicly(signal) {
      return (await post(place, `${root}/realms/${encodeURIComponent(realm)}`, {}, signal)).status;
    },
  };
}

interface Tokens {
  get(signal?: AbortSignal): Promise<string>;
  renew(signal?: AbortSignal): Promise<string>;
}

/** Tokens live for a minute; those who ask at the same time share one login. */
function createTokens(place: Place, root: string, options: KeycloakOptions): Tokens {
  const { user, password, loginRealm = 'master', clientId = 'admin-cli' } = options;
  let current: { readonly token: string; readonly until: number } | null = null;
  let underWay: Promise<string> | null = null;
  const logIn = async (signal?: AbortSignal): Promise<string> => {
    const asked = performance.now();
    const path = `/realms/${encodeURIComponent(loginRealm)}/protocol/openid-connect/token`;
    const body = new URLSearchParams({
      grant_type: 'password',
      client_id: clientId,
      username: user,
      password: password.reveal(),
    });
    const answer = await post(place, `${root}${path}`, { method: 'POST', body }, signal);
    if (answer.status === 400 || answer.status === 401) throw wrongPassword(place, loginRealm);
    if (answer.status === 404) throw strange(place, `has no realm ${loginRealm} to log in to`, 'Correct loginRealm.');
    const { access_token: token, expires_in: seconds } = read(place, answer, tokenSchema);
    current = { token, until: asked + seconds * 1000 - Math.min(marginMs, seconds * 500) };
    return token;
  };
  const renew = (signal?: AbortSignal): Promise<string> => {
    underWay ??= logIn(signal).finally(() => {
      underWay = null;
    });
    return underWay;
  };
  return {
    renew,
    get: async (signal) => (current && performance.now() < current.until ? current.token : renew(signal)),
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function post(place: Place, url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.timeout(answerWithin);
  try {
    const response = await fetch(url, {
      ...init,
      // The token and the password go nowhere else.
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (signal?.aborted) throw stopped(place, error);
    throw unreachable(place, limit.aborted ? `it does not answer within ${answerWithin / 1000} s` : null, error);
  }
}

function read<T>(place: Place, { status, text }: Answer, schema: z.ZodType<T>): T {
  if (status === 403) throw forbidden(place);
  if (status === 401) throw wrongPassword(place, 'of the login');
  if (status === 404) throw strange(place, `has no realm ${place.realm}`, 'Correct the realm, or make it.');
  if (status === 429 || status >= 500) throw unreachable(place, `it answers ${status}`);
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw strange(place, `gives an answer that is not Keycloak's (${status})`, 'Correct its address.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
