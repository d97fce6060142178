import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Health, System } from '../system.ts';
import { backup } from './backup.ts';
import { type Client, connectKeycloak, type KeycloakOptions } from './client.ts';
import { unreachable } from './failure.ts';
import { fingerprint, readCounts } from './fingerprint.ts';
import { preflight, unreachableFinding } from './preflight.ts';
import { lookup, scan, violations } from './reading.ts';

export interface KeycloakSystemOptions extends KeycloakOptions {
  /** Where `/health/ready` is served; absent = health by the realm's public page alone. */
  readonly managementUrl?: string;
}

/** One realm of a Keycloak, read only: its database is what is backed up and restored. */
export function createKeycloakSystem(options: KeycloakSystemOptions): System {
  const { name, managementUrl } = options;
  const client = connectKeycloak(options);
  return {
    name,
    type: 'keycloak',
    kinds: [],
    identity: () => readIdentity(client),
    checkHealth: () => checkHealth(client, managementUrl),
    lookup: (query, keys) => lookup(client, query, keys),
    scan: (query) => scan(client, query),
    violations: (statement) => violations(client, statement),
    preflight: () => preflight(client).catch((error: unknown) => [unreachableFinding(error)]),
    fingerprint: () => fingerprint(client),
    counts: () => readCounts(client),
    backup: (folder, context) => backup(client, folder, context),
    async close() {
      // Nothing is kept open between questions.
    },
  };
}

const realmSchema = z.object({ id: z.string().min(1), enabled: z.boolean().optional() });
const serverSchema = z.object({ systemInfo: z.object({ version: z.string() }).optional() });

/** The realm's id is made by chance with the realm; the address tells a copy of the database from its original. */
async function readIdentity(client: Client): Promise<string> {
  const realm = await client.ask('', realmSchema);
  return `${realm?.id ?? ''}@${client.place.at}`;
}

async function checkHealth(client: Client, managementUrl: string | undefined): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  const down = (note: string): Health => ({ up: false, version: null, latencyMs: latency(), note });
  try {
    if (managementUrl !== undefined) await askReady(client, managementUrl);
    const page = await client.askPublicly();
    if (page === 404) return down(`${client.place.name} has no realm ${client.place.realm}`);
    if (page === 403) return down(`the realm ${client.place.realm} is disabled: nobody can log in`);
    if (page !== 200) return down(`the realm ${client.place.realm} answers ${page}`);
    const server = await client.askServer('/serverinfo', serverSchema, { allow: [403] });
    const realm = await client.ask('', realmSchema, { allow: [403] });
    if (realm?.enabled === false) return down(`the realm ${client.place.realm} is disabled: nobody can log in`);
    return { up: true, version: server?.systemInfo?.version ?? 'unknown', latencyMs: latency() };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return down(error.message);
  }
}

/** Readiness looks at the database too. */
async function askReady({ place }: Client, managementUrl: string): Promise<void> {
  let status = 0;
  try {
    const ready = await fetch(`${managementUrl.replace(/\/+$/, '')}/health/ready`, {
      redirect: 'error',
      signal: AbortSignal.timeout(5_000),
    });
    await ready.arrayBuffer();
    status = ready.status;
  } catch (error) {
    throw unreachable(place, 'its management port does not answer', error);
  }
  if (status !== 200) throw unreachable(place, `it is not ready (${status})`);
}
