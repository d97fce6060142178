import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import neo4j, { type Driver } from 'neo4j-driver';
import type { Endpoints } from '../sandbox/servers/endpoints.ts';
import { readMigration } from '../src/migrations/migration-files.ts';
import { nextSize } from '../src/runs/perform-step.ts';
import type { Json } from '../src/shared/json.ts';
import { createLogger } from '../src/shared/logger.ts';
import { createSeal } from '../src/shared/sealed.ts';
import { Secret } from '../src/shared/secret.ts';
import { createNeo4jSystem } from '../src/systems/neo4j/neo4j-system.ts';
import type { StepContext, System } from '../src/systems/system.ts';

const pack = resolve(import.meta.dirname, '../packs/tas/migrations/space-isolation.yaml');
const firstSize = 2_000;
const environment = 'bench';

export interface Pair {
  /** Seconds for all users. */
  readonly ours: number;
  readonly apoc: number;
}

export interface RateFigures {
  readonly users: number;
  readonly pairs: readonly Pair[];
  /** Batches of the last pass, and bytes of their sealed journal. */
  readonly batches: number;
  readonly journalBytes: number;
}

interface Pass {
  readonly seconds: number;
  readonly batches: number;
}

/**
 * Sets tenant and space of every user, by turns with the journaled step of the migration and with APOC, which keeps no
 * journal, does not lock before it reads and cannot be undone. The values are taken away again before each pass.
 */
export async function measureRate(
  endpoints: Endpoints,
  pairs: number,
  say: (line: string) => void,
): Promise<RateFigures> {
  const { url, user, password } = endpoints.neo4j;
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password));
  const seal = createSeal(randomBytes(32));
  const logger = createLogger('error');
  const system = createNeo4jSystem({ name: 'graph', url, user, password: new Secret(password), seal, logger });
  try {
    await driver.executeQuery('DROP CONSTRAINT user_tenant_unique IF EXISTS');
    await system.advanceFence?.({ environment, token: 1 });
    const users = await countUsers(driver, '');
    const measured: Pair[] = [];
    // Of this measurement alone: what is journaled already is not done again.
    const passes = `bench-${randomBytes(4).toString('hex')}`;
    let batches = 0;
    for (let pair = 0; pair <= pairs; pair += 1) {
      const seconds = { ours: 0, apoc: 0 };
      for (const side of pair % 2 === 0 ? (['ours', 'apoc'] as const) : (['apoc', 'ours'] as const)) {
        await takeAway(driver);
        const pass = side === 'ours' ? await ourPass(system, `${passes}-${pair}`, users) : await apocPass(driver);
        await refuseUnfinished(driver, side);
        seconds[side] = pass.seconds;
        if (side === 'ours') batches = pass.batches;
      }
      say(
        `${pair === 0 ? 'warm-up' : `pair ${pair}`}: ours ${seconds.ours.toFixed(1)} s, APOC ${seconds.apoc.toFixed(1)} s`,
      );
      if (pair > 0) measured.push(seconds);
    }
    return { users, pairs: measured, batches, journalBytes: await journalBytes(driver, `${passes}-${pairs}`) };
  } finally {
    await system.close();
    await driver.close();
  }
}

/** The migration's first step as the engine calls it: batches one after the other, sized by the time they take. */
async function ourPass(system: System, runId: string, users: number): Promise<Pass> {
  const migration = await readMigration(pack, { files_table: 'audimodal_files' });
  const step = migration.phases.data?.find(({ id }) => id === 'fill-users');
  const kind = system.kinds.find(({ name }) => name === step?.use);
  if (!step || !kind) throw new Error('space-isolation has no step fill-users');
  const input = kind.input.parse(step.with);
  const context: StepContext = {
    runId,
    stepId: 'data.fill-users',
    sequenceBase: String(Date.now() * 1000),
    fence: { environment, token: 1 },
    cap: users,
    signal: AbortSignal.timeout(3_600_000),
    lookup: async () => new Map(),
    async *scan() {},
  };
  const began = performance.now();
  let [done, size, cursor]: [number, number, Json] = [0, firstSize, null];
  for (let index = 0; ; index += 1) {
    const batchBegan = performance.now();
    const result = await kind.performBatch(input, { index, cursor, done, size }, context);
    size = nextSize(size, performance.now() - batchBegan);
    done += result.done;
    cursor = result.cursor;
    if (cursor === null) return { seconds: (performance.now() - began) / 1000, batches: index + 1 };
  }
}

async function apocPass(driver: Driver): Promise<Pass> {
  const began = performance.now();
  const { records } = await driver.executeQuery(
    `CALL apoc.periodic.iterate(
       'MATCH (n:User) WHERE n.personal_tenant_id IS NULL OR n.personal_space_id IS NULL RETURN n',
       'SET n.personal_tenant_id = "tenant_" + toString($base + id(n)), n.personal_space_id = "space_" + toString($base + id(n))',
       {batchSize: 10000, parallel: false, params: {base: $base}}) YIELD batches, failedBatches
     RETURN batches, failedBatches`,
    { base: neo4j.int(Date.now() * 1000) },
  );
  const seconds = (performance.now() - began) / 1000;
  if (Number(records[0]?.get('failedBatches')) !== 0) throw new Error('a batch of apoc.periodic.iterate failed');
  return { seconds, batches: Number(records[0]?.get('batches')) };
}

async function takeAway(driver: Driver): Promise<void> {
  const session = driver.session();
  try {
    await session.run(
      `MATCH (n:User) CALL (n) { REMOVE n.personal_tenant_id, n.personal_space_id } IN TRANSACTIONS OF 10000 ROWS`,
    );
  } finally {
    await session.close();
  }
}

/** A pass that leaves somebody out, or gives two people the same tenant, must not count as fast. */
async function refuseUnfinished(driver: Driver, side: string): Promise<void> {
  const { records } = await driver.executeQuery(
    `MATCH (n:User) RETURN count(*) AS users, count(DISTINCT n.personal_tenant_id) AS tenants,
       count(CASE WHEN substring(n.personal_tenant_id, 7) = substring(n.personal_space_id, 6) THEN 1 END) AS fitting`,
  );
  const [users, tenants, fitting] = ['users', 'tenants', 'fitting'].map((name) => Number(records[0]?.get(name)));
  if (users !== tenants || users !== fitting) throw new Error(`${side} set ${tenants} tenants for ${users} users`);
}

async function countUsers(driver: Driver, where: string): Promise<number> {
  const { records } = await driver.executeQuery(`MATCH (n:User) ${where} RETURN count(*) AS users`);
  return Number(records[0]?.get('users'));
}

async function journalBytes(driver: Driver, runId: string): Promise<number> {
  const { records } = await driver.executeQuery('MATCH (b:_TasBatch {run: $runId}) RETURN sum(size(b.body)) AS bytes', {
    runId,
  });
  return Number(records[0]?.get('bytes'));
}
