import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from '../self-made-certificate.ts';

interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** One incident, as PagerDuty makes it of the events with one key. */
interface Incident {
  readonly key: string;
  status: 'triggered' | 'acknowledged' | 'resolved';
  readonly summary: string;
  readonly severity: string;
}

/** PagerDuty's two APIs, as far as the bot uses them, by their public reference: it refuses what PagerDuty would refuse. */
export interface StandInPagerDuty {
  /** Host and port, for both. */
  readonly server: string;
  /** PEM of its certificate. */
  readonly ca: string;
  readonly routingKey: string;
  readonly token: string;
  /** Every event that was taken, as it came. */
  readonly events: { readonly [field: string]: unknown }[];
  readonly incidents: Incident[];
  readonly asked: Asked[];
  oncalls: object[];
  /** What the next requests are answered with, instead of being taken: a status, or `hang` for a cut connection. */
  answers: (number | 'hang' | 'lost')[];
  close(): Promise<void>;
}

const actions = ['trigger', 'acknowledge', 'resolve'];
const severities = ['critical', 'error', 'warning', 'info'];

export async function startPagerDuty(): Promise<StandInPagerDuty> {
  const { key, cert } = makeCertificate();
  const state = {
    ca: cert,
    routingKey: 'r'.repeat(32),
    token: 'u+secret-token',
    events: [] as { [field: string]: unknown }[],
    incidents: [] as Incident[],
    asked: [] as Asked[],
    oncalls: [] as object[],
    answers: [] as (number | 'hang' | 'lost')[],
  };
  const server: Server = createServer({ key, cert }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'https://stand-in');
      const forced = state.answers.shift();
      if (forced === 'hang') return request.socket.destroy();
      const [status, answer] =
        typeof forced === 'number'
          ? [forced, { status: 'forced' }]
          : request.method === 'POST' && url.pathname === '/v2/enqueue'
            ? takeEvent(state, body)
            : ask(state, url, request.headers.authorization, request.headers.accept);
      // The event is taken, and the answer gets lost.
      if (forced === 'lost') return request.socket.destroy();
      const moved = status === 302 ? { location: 'https://elsewhere.invalid/' } : {};
      response.writeHead(status, { 'content-type': 'application/json', ...moved });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    server: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

type State = Pick<StandInPagerDuty, 'routingKey' | 'token' | 'events' | 'incidents' | 'asked' | 'oncalls'>;

function takeEvent(state: State, body: string): [number, object] {
  const event = JSON.parse(body);
  const wrong = wrongInEvent(state, event);
  if (wrong !== null) return [400, { status: 'invalid event', errors: [wrong] }];
  state.events.push(event);
  const open = state.incidents.find(({ key, status }) => key === event.dedup_key && status !== 'resolved');
  if (event.event_action === 'resolve' && open) open.status = 'resolved';
  if (event.event_action === 'trigger' && !open) {
    const { summary, severity } = event.payload;
    state.incidents.push({ key: event.dedup_key, status: 'triggered', summary, severity });
  }
  return [202, { status: 'success', dedup_key: event.dedup_key }];
}

function wrongInEvent(state: State, event: { [field: string]: unknown }): string | null {
  if (event.routing_key !== state.routingKey) return 'routing_key is invalid';
  if (!actions.includes(String(event.event_action))) return 'event_action is invalid';
  if (typeof event.dedup_key !== 'string' || event.dedup_key.length > 255) return 'dedup_key is invalid';
  if (event.event_action !== 'trigger') return null;
  const payload = event.payload as { [field: string]: unknown } | undefined;
  if (typeof payload?.summary !== 'string' || payload.summary.length > 1024) return 'payload.summary is invalid';
  if (typeof payload.source !== 'string') return 'payload.source is missing';
  if (!severities.includes(String(payload.severity))) return 'payload.severity is invalid';
  return Number.isNaN(Date.parse(String(payload.timestamp))) ? 'payload.timestamp is invalid' : null;
}

function ask(state: State, url: URL, authorization?: string, accept?: string): [number, object] {
  state.asked.push({ path: url.pathname, query: url.searchParams, authorization });
  if (authorization !== `Token token=${state.token}`) return [401, { error: { message: 'Invalid token', code: 2006 } }];
  if (!accept?.includes('application/vnd.pagerduty+json;version=2')) return [406, { error: { message: 'version' } }];
  if (url.pathname === '/oncalls') {
    const offset = Number(url.searchParams.get('offset') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 25);
    const more = state.oncalls.length > offset + limit;
    return [200, { oncalls: state.oncalls.slice(offset, offset + limit), limit, offset, more, total: null }];
  }
  if (url.pathname === '/incidents') {
    const key = url.searchParams.get('incident_key');
    return [200, { incidents: state.incidents.filter((incident) => incident.key === key).slice(-1), more: false }];
  }
  return [404, { error: { message: 'Not Found' } }];
}
