/** Stands in for the platform's services. Argument: the sandbox's folder. */
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { endpointsOf, readState } from '../state.ts';
import { type Answer, Backend, type Request } from './backend.ts';
import { type ServiceName, watchCluster } from './cluster-watch.ts';
import { holdSessions } from './stores.ts';

const folder = process.argv[2] ?? '';
const state = await readState(folder);
if (state === null) throw new Error(`${folder} holds no sandbox`);
const endpoints = endpointsOf(folder, state);
const cluster = watchCluster(endpoints.kubernetes.kubeconfig);
const held = holdSessions(endpoints);
const backend = new Backend(endpoints);

const prefixes: Readonly<Record<string, ServiceName>> = {
  backend: 'aether-backend',
  audimodal: 'audimodal',
  deeplake: 'deeplake-api',
  frontend: 'aether-frontend',
};

interface Tally {
  requests: number;
  errors: number;
  seconds: number;
}
const tallies = new Map<ServiceName, Tally>();
for (const name of Object.values(prefixes)) tallies.set(name, { requests: 0, errors: 0, seconds: 0 });

async function answerFor(service: ServiceName, request: Request): Promise<Answer> {
  const { running, version } = cluster.of(service);
  if (!running) return { status: 503, json: { error: `${service} does not run` } };
  const maintenance = cluster.maintenance();
  if (service === 'aether-frontend' && maintenance !== null) return { status: 503, json: { maintenance } };
  // What tells the second version from the first.
  const health = { status: 'healthy', service, version, contentVersions: /^v?2/.test(version) };
  if (service === 'deeplake-api') return deeplake(request, health);
  if (request.path === '/health' || service !== 'aether-backend') return { status: 200, json: health };
  return backend.answer(request, held.of('aether-backend'));
}

async function deeplake({ path, headers }: Request, health: object): Promise<Answer> {
  if (path === '/api/v1/health') return { status: 200, json: health };
  if (headers.authorization !== `ApiKey ${endpoints.platform.apiKey}`) return { status: 401 };
  if (!/^(\/api\/v1)?\/stats$/.test(path)) return { status: 501, json: { error: 'this stand-in does not do that' } };
  const files = await readdir(endpoints.vectors.root, { recursive: true, withFileTypes: true }).catch(() => []);
  return { status: 200, json: { datasets: files.filter(({ name }) => name === 'dataset_meta.json').length } };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) if (text.length < 1_000_000) text += part;
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return null;
  }
}

function metrics(): string {
  const lines = [...tallies].flatMap(([name, { requests, errors, seconds }]) => [
    `http_requests_total{service="${name}"} ${requests}`,
    `http_errors_total{service="${name}"} ${errors}`,
    `http_request_duration_seconds_sum{service="${name}"} ${seconds}`,
    `http_request_duration_seconds_count{service="${name}"} ${requests}`,
    `service_running{service="${name}"} ${cluster.of(name).running ? 1 : 0}`,
  ]);
  return `${lines.join('\n')}\n`;
}

let answering = 0;
let passes = 0;
let ending = false;
const server = createServer(async (incoming, response) => {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  if (url.pathname === '/metrics') {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metrics());
    return;
  }
  const [, prefix = '', rest = ''] = /^\/([^/]+)(\/.*)?$/.exec(url.pathname) ?? [];
  if (prefix === 'sessions' && incoming.method === 'PUT') {
    held.rest(rest === '/rest');
    // Only the loop below opens and ends sessions: a pool that is ended while it connects never answers.
    for (const from = passes; passes < from + 2 && !ending; ) await pause(100);
    response.writeHead(204).end();
    return;
  }
  const service = prefixes[prefix];
  const tally = service && tallies.get(service);
  if (!service || !tally) {
    response.writeHead(404).end();
    return;
  }
  const began = performance.now();
  const body = await readBody(incoming);
  const request = {
    method: incoming.method ?? 'GET',
    path: rest,
    query: url.searchParams,
    headers: incoming.headers,
    body,
  };
  answering += 1;
  const answer = await answerFor(service, request).catch((error: unknown): Answer => {
    console.error(error instanceof Error ? error.message : 'failed');
    return { status: 500, json: { error: 'a store does not answer as it should' } };
  });
  answering -= 1;
  tally.requests += 1;
  if (answer.status >= 500) tally.errors += 1;
  tally.seconds += (performance.now() - began) / 1000;
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(answer.json === undefined ? undefined : JSON.stringify(answer.json));
});

process.once('SIGTERM', async () => {
  ending = true;
  server.closeAllConnections();
  server.close();
  await held.close();
  process.exit(0);
});

server.listen(state.ports.platform, '127.0.0.1');
while (!ending) {
  await cluster.look();
  if (!ending) await held.keepUp(cluster, () => answering > 0);
  passes += 1;
  await pause(500);
}
