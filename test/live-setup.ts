import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointVariables, readGivenEndpoints } from '../sandbox/servers/given-endpoints.ts';
import { holdPlatformSessions } from '../sandbox/servers/platform/sessions.ts';
import { createProgress } from '../sandbox/servers/progress.ts';
import { bringUp, takeDown } from '../sandbox/servers/sandbox.ts';
import { type ServerGroup, serverGroups, storeGroups } from '../sandbox/servers/servers.ts';
import { isOrphaned, listTestFolders, readState } from '../sandbox/servers/state.ts';
import { Failure } from '../src/shared/failure.ts';

const stores = ['neo4j', 'postgres', 'botPostgres', 'minio'] as const;

/**
 * Brings up stores for the live tests, of their own and with fast but unsafe settings, and says where they are in
 * `TEST_*`. Stores that `TEST_*` names already are used as they are. `TAS_TEST_KEEP=<name>` leaves them running for the
 * next call with the same name; `TAS_TEST_SERVERS=neo4j,kafka` brings up only these (groups of `--only`). Where stores cannot be had, `REQUIRE_LIVE=1` fails and else the tests are skipped.
 */
export default async function setUpLiveStores(): Promise<void> {
  const given = readGivenEndpoints(process.env);
  const wanted = wantedGroups();
  const storesOnly = wanted.every((group) => storeGroups.includes(group));
  if (storesOnly && stores.every((name) => given[name] !== undefined)) return;
  const kept = process.env.TAS_TEST_KEEP?.replaceAll(/[^\w-]/g, '-');
  const folder = join(tmpdir(), kept ? `tas-test-keep-${kept}` : `tas-test-${randomBytes(6).toString('hex')}`);
  const progress = createProgress(process.stderr);
  try {
    await takeOrphansDown();
    process.env.TAS_TEST_SANDBOX = folder;
    const endpoints = await bringUp({ folder, given, only: wanted, fast: true, temporary: !kept, progress });
    for (const [name, value] of Object.entries(endpointVariables(endpoints))) process.env[name] = value;
    process.env.TEST_ENDPOINTS = JSON.stringify(endpoints);
    // A store is a test's own; what needs the services' sessions asks for them.
    if (wanted.includes('platform')) await holdPlatformSessions(endpoints, false);
  } catch (error) {
    if (!kept) await takeDown(folder).catch(() => undefined);
    delete process.env.TAS_TEST_SANDBOX;
    if (process.env.REQUIRE_LIVE === '1' || !(error instanceof Failure)) throw error;
    skipLiveTests(`${error.message} ${error.advice}`);
  } finally {
    progress.stop();
  }
}

/** All servers, unless somebody who works at one of them wants no others. */
function wantedGroups(): readonly ServerGroup[] {
  const named = process.env.TAS_TEST_SERVERS?.split(',') ?? Object.keys(serverGroups);
  return named as ServerGroup[];
}

/** Test stores whose test run was killed before it could take them down. */
async function takeOrphansDown(): Promise<void> {
  for (const folder of await listTestFolders()) {
    const state = await readState(folder).catch(() => null);
    if (state !== null && (await isOrphaned(state))) await takeDown(folder);
  }
}

/** `live-skip.ts` turns every test of these projects into a skipped one; addresses that lead nowhere let files load. */
function skipLiveTests(reason: string): void {
  process.stderr.write(`\nLIVE TESTS ARE SKIPPED: ${reason}\nREQUIRE_LIVE=1 makes this a failure.\n\n`);
  process.env.TAS_LIVE_SKIPPED = reason;
  const nowhere = { user: 'none', password: 'none', toolsFolder: null, database: 'none', host: '127.0.0.1', port: 1 };
  const postgres = { ...nowhere, url: 'postgresql://none:none@127.0.0.1:1/none' };
  const endpoints = {
    neo4j: { ...nowhere, url: 'bolt://127.0.0.1:1' },
    postgres,
    botPostgres: postgres,
    minio: { url: 'http://127.0.0.1:1', accessKey: 'none', secretKey: 'none', bucket: 'none' },
    kubernetes: { kubeconfig: '/nowhere', url: 'https://127.0.0.1:1' },
    keycloak: { ...nowhere, url: 'http://127.0.0.1:1', managementUrl: 'http://127.0.0.1:1', realm: 'none' },
    kafka: { brokers: ['127.0.0.1:1'], securedBrokers: ['127.0.0.1:1'], password: 'none' },
    redis: nowhere,
    prometheus: { url: 'http://127.0.0.1:1' },
    embeddings: { url: 'http://127.0.0.1:1/v1', apiKey: 'none' },
    platform: { url: 'http://127.0.0.1:1', apiKey: 'none' },
    vectors: { root: '/nowhere' },
  };
  for (const [name, value] of Object.entries(endpointVariables(endpoints))) process.env[name] ||= value;
  process.env.TEST_ENDPOINTS = JSON.stringify(endpoints);
}
