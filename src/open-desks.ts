import { readFile } from 'node:fs/promises';
import type { Desks } from '../commands/desks.ts';
import type { Config, RevealSecret } from './config/config.ts';
import type { Notices } from './notices/notice.ts';
import { createOnCall, type OnCall } from './oncall/create-on-call.ts';
import type { Environment } from './plans/environment.ts';
import type { RunRecords } from './runs/run-records.ts';
import type { Clock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { createBakeStore } from './storage/bake-store.ts';
import type { Database } from './storage/database.ts';
import { createPageStore } from './storage/page-store.ts';

interface Deps {
  readonly config: Config;
  readonly reveal: RevealSecret;
  readonly database: Database;
  readonly records: RunRecords;
  readonly environments: ReadonlyMap<string, Environment>;
  readonly notices: Notices;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What stands beside the door, put together: what commands ask, and what the bot does for it by itself. */
export interface OpenDesks {
  readonly desks: Desks;
  /** Who is called, and the watch after runs. */
  readonly onCall: OnCall;
}

export async function openDesks(deps: Deps): Promise<OpenDesks> {
  const { config, database } = deps;
  const ca = config.oncall.pagerduty?.ca;
  const onCall = createOnCall({
    ...deps,
    settings: config.oncall,
    ca: ca === undefined ? null : await readFile(ca, 'utf8'),
    store: createPageStore(database),
    looks: createBakeStore(database),
  });
  return { desks: { oncall: onCall.desk }, onCall };
}
