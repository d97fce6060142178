import { Agent } from 'node:https';
import { api, event } from '@pagerduty/pdjs';
import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import type { Secret } from '../shared/secret.ts';
import type { Page } from './page.ts';

export interface PagerDutyOptions {
  /** Reads who is on call; null = only pages. */
  readonly token: Secret | null;
  readonly routingKey: (environment: string) => Secret;
  readonly schedules: readonly string[];
  readonly escalationPolicies: readonly string[];
  /** Host names, with a port where it is not 443. */
  readonly apiServer: string;
  readonly eventsServer: string;
  /** Certificate in PEM of an own authority; null = those that Node trusts. */
  readonly ca: string | null;
}

/** A stretch of time for which somebody is on call. Null = without end. */
export interface Duty {
  readonly person: string;
  readonly level: number;
  readonly policy: string;
  readonly schedule: string | null;
  readonly from: string | null;
  readonly until: string | null;
}

export interface PagerDuty {
  /** Raises or resolves by the page's key: the same one twice is one. Throws `unreachable` (retryable) or `precondition-failed`. */
  send(page: Page): Promise<void>;
  /** Null = the configuration gives no token. */
  readonly duties: ((from: Date, until: Date) => Promise<readonly Duty[]>) | null;
  /** Who has taken a page up: `acknowledged` or `triggered` by key; null = the configuration gives no token. */
  readonly incidents: ((keys: readonly string[]) => Promise<ReadonlyMap<string, string>>) | null;
}

const named = z.object({ summary: z.string().nullish() });
const oncallsSchema = z.object({
  more: z.boolean().nullish(),
  oncalls: z.array(
    z.object({
      user: named,
      schedule: named.nullish(),
      escalation_policy: named,
      escalation_level: z.number(),
      start: z.string().nullish(),
      end: z.string().nullish(),
    }),
  ),
});
const incidentsSchema = z.object({ incidents: z.array(z.object({ status: z.string() })) });

const patience = 10_000;
const mostPages = 5;
const pageSize = 100;
/** PagerDuty keeps keys of at most 255 characters. */
const dedupKey = (key: string): string => `tas:${key}`.slice(0, 255);

/** PagerDuty's two APIs: events (pages) and REST (who is on call). Neither follows a redirect: they carry secrets. */
export function connectPagerDuty(options: PagerDutyOptions): PagerDuty {
  const agent = options.ca === null ? {} : { agent: new Agent({ ca: options.ca }) };
  // The library's own clock would keep the process waiting and cancels nothing; its waits for 429 are ours to make.
  const request = () =>
    ({
      ...agent,
      redirect: 'error',
      requestTimeout: 0,
      retryTimeout: 200,
      signal: AbortSignal.timeout(patience),
    }) as const;
  const { token } = options;
  const ask = async <T>(endpoint: string, data: object, schema: z.ZodType<T>): Promise<T> => {
    const parameters = { endpoint, data, token: token?.reveal() ?? '', server: options.apiServer, ...request() };
    const response = await call(parameters).catch(unreachable);
    refuseStatus(response.status);
    const parsed = schema.safeParse(response.data);
    if (parsed.success) return parsed.data;
    throw away('PagerDuty answered what nobody understands.');
  };
  return {
    async send(page) {
      const data = payloadOf(page, options.routingKey(page.environment).reveal());
      const response = await event({ data, server: options.eventsServer, ...request() } as Parameters<
        typeof event
      >[0]).catch(unreachable);
      refuseStatus(response.status);
    },
    duties: token === null ? null : (from, until) => readDuties(ask, options, from, until),
    incidents: token === null ? null : (keys) => readIncidents(ask, keys),
  };
}

/** The library's types know neither an agent nor that a whole request answers at once. */
const call = api as unknown as (parameters: object) => Promise<{ readonly status: number; readonly data: unknown }>;

type Ask = <T>(endpoint: string, data: object, schema: z.ZodType<T>) => Promise<T>;

async function readDuties(ask: Ask, options: PagerDutyOptions, from: Date, until: Date): Promise<readonly Duty[]> {
  const { schedules, escalationPolicies } = options;
  const duties: Duty[] = [];
  for (let page = 0; page < mostPages; page += 1) {
    const { oncalls, more } = await ask(
      '/oncalls',
      {
        since: from.toISOString(),
        until: until.toISOString(),
        limit: String(pageSize),
        offset: String(page * pageSize),
        ...(schedules.length === 0 ? {} : { 'schedule_ids[]': schedules }),
        ...(escalationPolicies.length === 0 ? {} : { 'escalation_policy_ids[]': escalationPolicies }),
      },
      oncallsSchema,
    );
    for (const { user, schedule, escalation_policy, escalation_level, start, end } of oncalls) {
      duties.push({
        person: user.summary ?? 'somebody without a name',
        level: escalation_level,
        policy: escalation_policy.summary ?? '',
        schedule: schedule?.summary ?? null,
        from: start ?? null,
        until: end ?? null,
      });
    }
    if (more !== true) break;
  }
  return duties;
}

async function readIncidents(ask: Ask, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>();
  for (const key of keys) {
    const { incidents } = await ask('/incidents', { incident_key: dedupKey(key), limit: '1' }, incidentsSchema);
    if (incidents[0]) states.set(key, incidents[0].status);
  }
  return states;
}

function payloadOf(page: Page, routingKey: string): object {
  const frame = { routing_key: routingKey, dedup_key: dedupKey(page.key) };
  if (page.state === 'resolved') return { ...frame, event_action: 'resolve' };
  return {
    ...frame,
    event_action: 'trigger',
    payload: {
      summary: page.summary,
      source: `tas-bot ${page.environment}`,
      severity: page.severity,
      timestamp: page.raisedAt,
      component: page.environment,
      class: page.reason,
      custom_details: { advice: page.advice, ...(page.runId === null ? {} : { run: page.runId }) },
    },
  };
}

/** What the library throws may hold the request with its secrets: none of it is handed on. */
function unreachable(): never {
  throw away('PagerDuty does not answer.');
}

function away(message: string): Failure {
  const advice = 'Pages are kept and delivered when it is back.';
  return new Failure({ code: 'unreachable', message, advice, retryable: true });
}

function refuseStatus(status: number): void {
  if (status < 300) return;
  if (status === 429 || status >= 500) throw away(`PagerDuty answers ${status}.`);
  throw new Failure({
    code: 'precondition-failed',
    message: `PagerDuty refuses what the bot sends (${status}).`,
    advice: 'Check the routing key and the token in the configuration (oncall.pagerduty).',
  });
}
