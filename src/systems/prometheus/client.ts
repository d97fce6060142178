import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Secret } from '../../shared/secret.ts';

export interface PrometheusOptions {
  /** The configured name. */
  readonly name: string;
  /** With the path under which it is served, if any. */
  readonly url: string;
  readonly token?: Secret;
}

/** One Prometheus, asked over its HTTP API. Errors are `Failure`s. */
export interface Client {
  readonly name: string;
  /** `host:port/path`, safe to show. */
  readonly at: string;
  /** `path` begins after `/api/v1`; answers what the schema makes of `data`. */
  ask<T>(path: string, parameters: Parameters, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  /** True when it takes questions. */
  isReady(): Promise<boolean>;
}

export interface Parameters {
  readonly [name: string]: string;
}

/** Milliseconds for one answer, and how often a server that is busy is asked. */
const answerWithin = 15_000;
const tries = 3;

const envelope = z.object({
  status: z.enum(['success', 'error']),
  data: z.unknown().optional(),
  errorType: z.string().optional(),
  error: z.string().optional(),
});

export function connectPrometheus({ name, url, token }: PrometheusOptions): Client {
  const root = url.replace(/\/+$/, '');
  const { host, pathname } = new URL(root);
  const place: Place = { name, at: `${host}${pathname === '/' ? '' : pathname}` };
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token.reveal()}` } : {};
  const send = async (path: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> => {
    const limit = AbortSignal.timeout(answerWithin);
    try {
      const response = await fetch(`${root}${path}`, {
        ...init,
        headers,
        // A redirect to a page that asks people to log in is no answer, and the token goes nowhere else.
        redirect: 'error',
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (signal?.aborted) throw stopped(place, error);
      throw unreachable(place, limit.aborted ? `it does not answer within ${answerWithin / 1000} s` : null, error);
    }
  };
  return {
    ...place,
    async ask(path, parameters, schema, signal) {
      const init =
        Object.keys(parameters).length === 0 ? {} : { method: 'POST', body: new URLSearchParams({ ...parameters }) };
      for (let tried = 1; ; tried += 1) {
        try {
          return read(place, await send(`/api/v1${path}`, init, signal), schema);
        } catch (error) {
          if (!(error instanceof Failure) || error.code !== 'unreachable' || tried >= tries) throw error;
          await pause(200 * tried, undefined, signal ? { signal } : {}).catch((cause) => {
            throw stopped(place, cause);
          });
        }
      }
    },
    async isReady() {
      return (await send('/-/ready', {})).status === 200;
    },
  };
}

interface Place {
  readonly name: string;
  readonly at: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function read<T>(place: Place, { status, text }: Answer, schema: z.ZodType<T>): T {
  if (status === 401) throw failure(place, 'wrong-password', 'refuses the token', 'Correct the token.');
  if (status === 403) throw failure(place, 'missing-rights', 'does not allow this', 'Give the token this right.');
  const parsed = envelope.safeParse(parseJson(text));
  const { data: said } = parsed;
  if (said?.status === 'success') {
    const fits = schema.safeParse(said.data);
    if (fits.success) return fits.data;
  }
  if (status >= 500) throw unreachable(place, `it answers ${status}`);
  if (said?.errorType === 'bad_data') throw invalid(place, said.error ?? '');
  if (said?.errorType === 'execution' || said?.errorType === 'timeout' || said?.errorType === 'canceled') {
    const advice = 'Ask for less: fewer series or a shorter time. Nothing was changed.';
    throw failure(place, 'step-failed', `cannot work the query out: ${said.error?.slice(0, 200)}`, advice);
  }
  throw failure(place, 'step-failed', `gives an answer that is not Prometheus's (${status})`, 'Correct its address.');
}

/** Prometheus says where: `invalid parameter "query": 1:5: parse error: …`. */
function invalid(place: Place, error: string): Failure {
  const found = /(\d+):(\d+): parse error: (.*)$/s.exec(error);
  const why = found ? `line ${found[1]}, column ${found[2]}: ${found[3]}` : error;
  return new Failure({
    code: 'invalid-statement',
    message: `${place.name} cannot read the query: ${why.slice(0, 300)}`,
    advice: 'Correct the query. Nothing was changed.',
  });
}

function unreachable(place: Place, why: string | null, cause?: unknown): Failure {
  const code = (cause as { cause?: { code?: string } } | undefined)?.cause?.code;
  const words = why ?? (code === 'ECONNREFUSED' ? 'nothing listens there' : 'the connection fails');
  return new Failure({
    code: 'unreachable',
    message: `${place.name} (Prometheus ${place.at}) cannot be reached: ${words}.`,
    advice: 'Start it or correct its address.',
    retryable: true,
    cause,
  });
}

function stopped({ name, at }: Place, cause: unknown): Failure {
  const message = `${name} (Prometheus ${at}) was stopped on request.`;
  return new Failure({ code: 'cancelled', message, advice: 'It goes on from there.', cause });
}

function failure({ name, at }: Place, code: Failure['code'], what: string, advice: string): Failure {
  return new Failure({ code, message: `${name} (Prometheus ${at}) ${what}.`, advice });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
