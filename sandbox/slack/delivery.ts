import type { RawReply, RawRequest, Requests } from './request.ts';
import { signedHeaders } from './signing.ts';
import type { SocketSide } from './socket.ts';
import type { SlackTime } from './time.ts';

/** Slack waits this long for an acknowledgement, in milliseconds. */
const patience = 3_000;

export type EnvelopeType = 'slash_commands' | 'interactive' | 'events_api';

/** Why a person sees a warning: too late; nobody there; an answer that is no acknowledgement. */
export type DeliveryError = 'operation_timeout' | 'dispatch_failed' | 'http_service_error';

export interface Acknowledgement {
  /** What was delivered, in words: the command's line, the button, the event. */
  readonly what: string;
  readonly type: EnvelopeType;
  /** HTTP status; 200 for an acknowledged envelope; null when nothing came within three seconds. */
  readonly status: number | null;
  /** The body: text or JSON, empty when it was a bare acknowledgement. */
  readonly body: string;
  /** Until the acknowledgement, or until Slack lost patience. */
  readonly ms: number;
  readonly error: DeliveryError | null;
  /** When it came after all, so many milliseconds after it was asked for; null = in time, or not yet. */
  readonly lateMs: number | null;
}

/** Takes payloads to the app: signed over HTTP, or through the socket that the app has opened. */
export interface Delivery {
  /** In order of their end. */
  readonly log: readonly Acknowledgement[];
  /** The last signed request; null when there was none. */
  readonly last: RawRequest | null;
  deliver(type: EnvelopeType, what: string, payload: object): Promise<Acknowledgement>;
}

export interface DeliveryOptions {
  readonly secrets: { readonly signingSecret: string };
  /** Where the app listens for requests; null = it uses Socket Mode. */
  readonly requestUrl: () => string | null;
  readonly requests: Requests;
  readonly socket: SocketSide;
  readonly time: SlackTime;
  /** Called when something new stands in the log. */
  changed(): void;
}

type Retry = { readonly number: number; readonly reason: string };

/** Slack sends an event again so many milliseconds after it was not acknowledged: at once, a minute and five minutes later. */
const retries = [1, 60_000, 300_000];

export function createDelivery(options: DeliveryOptions): Delivery {
  const log: Acknowledgement[] = [];
  let last: RawRequest | null = null;
  const send = (type: EnvelopeType, payload: object, retry: Retry | null): Promise<RawReply | null> | null => {
    const url = options.requestUrl();
    if (url !== null) {
      last = requestFor(options, url, type, payload, retry);
      return options.requests.send(last).catch(() => null);
    }
    const more = retry ? { retry_attempt: retry.number, retry_reason: retry.reason } : {};
    const sent = options.socket.send(type, payload, type === 'events_api' ? { retry_attempt: 0, ...more } : {});
    return sent?.then((body) => (body === null ? null : { status: 200, body })) ?? null;
  };
  const attempt = async (type: EnvelopeType, what: string, payload: object, retry: Retry | null) => {
    const result = await inTime(options, { type, what }, send(type, payload, retry));
    log.push(result);
    options.changed();
    const delay = retries[retry?.number ?? 0];
    if (type === 'events_api' && result.error !== null && delay !== undefined) {
      const next = {
        number: (retry?.number ?? 0) + 1,
        reason: result.error === 'operation_timeout' ? 'timeout' : 'http_error',
      };
      options.time.after(delay, () => void attempt(type, what, payload, next));
    }
    return result;
  };
  return {
    log,
    get last() {
      return last;
    },
    deliver: (type, what, payload) => attempt(type, what, payload, null),
  };
}

/** Waits as long as Slack does; what comes later is noted as late and otherwise ignored. */
function inTime(
  { time, changed }: Pick<DeliveryOptions, 'time' | 'changed'>,
  about: Pick<Acknowledgement, 'what' | 'type'>,
  sent: Promise<RawReply | null> | null,
): Promise<Acknowledgement> {
  const started = time.now();
  const end = (more: Pick<Acknowledgement, 'status' | 'body' | 'error'>): Acknowledgement => ({
    ...about,
    ...more,
    ms: time.now() - started,
    lateMs: null,
  });
  if (!sent) return Promise.resolve(end({ status: null, body: '', error: 'dispatch_failed' }));
  return new Promise((resolve) => {
    let late: { lateMs: number | null } | null = null;
    const stop = time.after(patience, () => {
      const result = end({ status: null, body: '', error: 'operation_timeout' });
      late = result;
      resolve(result);
    });
    void sent.then((reply) => {
      if (late) {
        if (reply) late.lateMs = time.now() - started;
        changed();
        return;
      }
      stop();
      if (reply === null) return resolve(end({ status: null, body: '', error: 'dispatch_failed' }));
      resolve(end({ ...reply, error: reply.status === 200 ? null : 'http_service_error' }));
    });
  });
}

function requestFor(
  options: DeliveryOptions,
  url: string,
  type: EnvelopeType,
  payload: object,
  retry: Retry | null,
): RawRequest {
  const body = formBody(type, payload);
  return {
    url,
    body,
    headers: {
      ...signedHeaders(options.secrets.signingSecret, body, Math.floor(options.time.now() / 1000)),
      'content-type': contentType(type),
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      ...(retry ? { 'x-slack-retry-num': String(retry.number), 'x-slack-retry-reason': retry.reason } : {}),
    },
  };
}

export function contentType(type: EnvelopeType): string {
  return type === 'events_api' ? 'application/json' : 'application/x-www-form-urlencoded';
}

/** Commands are plain form fields, interactions one field `payload`, events a JSON body. */
export function formBody(type: EnvelopeType, payload: object): string {
  if (type === 'events_api') return JSON.stringify(payload);
  if (type === 'interactive') return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const fields = Object.entries(payload).map(([name, value]): [string, string] => [name, String(value)]);
  return new URLSearchParams(fields).toString();
}
