import pg from 'pg';
import { type SeedKind, seed } from '../sandbox/seed/seed.ts';
import type { StoreEndpoints } from '../sandbox/servers/endpoints.ts';
import { liveStores } from './live-stores.ts';

/** Fills the platform's stores, and makes its database where the test stores do not have it yet. */
export async function seedPlatform(endpoints: StoreEndpoints, kind: SeedKind): Promise<void> {
  const admin = new pg.Client({ connectionString: liveStores().postgres.url });
  await admin.connect();
  const { database } = endpoints.postgres;
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [database]);
  if (rowCount === 0) await admin.query(`create database ${database}`);
  await admin.end();
  await seed(endpoints, { kind });
}
