import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type BotSession, startBotSession } from '../../sandbox/bot-session.ts';
import type { Beside } from '../../sandbox/bot-systems.ts';
import { openStores, type Stores } from '../../sandbox/demo/stores.ts';
import type { SeedKind } from '../../sandbox/seed/seed.ts';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { readGivenEndpoints } from '../../sandbox/servers/given-endpoints.ts';
import { liveEndpoints, liveStores } from '../live-stores.ts';
import { seedPlatform } from '../seed-platform.ts';

/** A platform with data, a simulated Slack and the bot in it, on the test stores. */
export interface Journey {
  readonly endpoints: Endpoints;
  readonly folder: string;
  readonly session: BotSession;
  readonly stores: Stores;
  /** The bot's own database, for looking at events. */
  readonly botPool: pg.Pool;
  close(): Promise<void>;
}

/** Fills the stores, makes a fresh database for the bot and starts it; `beside` = with every system of the platform. */
export async function openJourney(
  kind: SeedKind,
  mode: 'http' | 'socket' = 'http',
  beside: Beside | null = null,
): Promise<Journey> {
  const admin = new pg.Client({ connectionString: liveStores().botPostgres.url });
  await admin.connect();
  const name = `journey_${randomBytes(4).toString('hex')}`;
  await admin.query(`create database ${name}`);
  const botUrl = new URL(liveStores().botPostgres.url);
  botUrl.pathname = `/${name}`;
  const given = {
    ...liveEndpoints(),
    ...readGivenEndpoints({ ...process.env, TEST_BOT_POSTGRES_URL: botUrl.href }),
  } as Endpoints;
  await seedPlatform(given, kind);
  const folder = await mkdtemp(join(tmpdir(), 'tas-journey-'));
  const session = await startBotSession(folder, given, mode, beside);
  const stores = openStores(given);
  const botPool = new pg.Pool({ connectionString: botUrl.href, max: 2 });
  // A connection that is cut while it idles is made anew by the pool; without a listener it would end the test run.
  botPool.on('error', () => undefined);
  return {
    endpoints: given,
    folder,
    session,
    stores,
    botPool,
    async close() {
      await session.stop();
      await stores.close();
      await botPool.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
