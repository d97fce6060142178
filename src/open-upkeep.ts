import { resolve } from 'node:path';
import type { BackupFolder } from './backups/backup-folder.ts';
import { freeBytes } from './backups/disk-room.ts';
import { createProveKind } from './backups/prove-kind.ts';
import { createRemoveKind } from './backups/remove-kind.ts';
import type { Check } from './checks/check.ts';
import { checkScratch } from './checks/check-scratch.ts';
import type { Config } from './config/config.ts';
import { readSecret } from './config/load-config.ts';
import { tlsPlacesOf } from './config/tls-places.ts';
import type { Environment } from './plans/environment.ts';
import { findEndedHolds } from './runs/ended-holds.ts';
import type { RunRecords } from './runs/run-records.ts';
import { readCertificateEnds } from './schedules/certificates.ts';
import { createSelfCheckKind } from './schedules/self-check.ts';
import { systemClock as clock } from './shared/clock.ts';
import { millisecondsOf } from './shared/duration-text.ts';
import { testToken } from './slack/test-token.ts';
import type { Database } from './storage/database.ts';
import { findNeededSets } from './storage/needed-sets.ts';
import { lookAtSelf } from './storage/self-look.ts';
import type { StepKind, System } from './systems/system.ts';

interface Deps {
  readonly name: string;
  readonly holdDays: number;
  readonly systems: ReadonlyMap<string, System>;
  readonly checks: () => Promise<ReadonlyMap<string, Check>>;
  /** The environment that this is a part of. */
  readonly environment: () => Environment;
  readonly config: Config;
  readonly folder: BackupFolder;
  readonly database: Database;
  readonly records: RunRecords;
}

/** What keeps an environment fit for the day it is needed: drills, the removal of old sets, the bot's look at itself. */
interface Upkeep extends Pick<Environment, 'backupRoom'> {
  readonly kinds: readonly StepKind[];
  readonly removableSets: () => Promise<readonly string[] | null>;
}

export function openUpkeep(deps: Deps): Upkeep {
  const { name, systems, checks, config, folder, database } = deps;
  const keep = config.schedules[name]?.keep;
  const rule = async () =>
    keep === undefined ? null : { ...keep, needed: await findNeededSets(database.pool, name, deps.holdDays) };
  const backupRoom = async () => ({
    free: await freeBytes(resolve(config.bot.backups)),
    lastSet: (await folder.listSets(name))[0]?.bytes ?? null,
  });
  return {
    backupRoom,
    async removableSets() {
      const now = await rule();
      return now === null ? null : (await folder.removable(name, now, clock.now())).map(({ id }) => id);
    },
    kinds: [
      createProveKind({
        systems,
        folder,
        clock,
        environment: name,
        look: async (system, scratch) => checkScratch(await checks(), system, scratch),
      }),
      createRemoveKind({ folder, clock, environment: name, rule }),
      createSelfCheckKind({ ...selfCheckOf(deps), room: backupRoom }),
    ],
  };
}

function selfCheckOf(deps: Deps): Omit<Parameters<typeof createSelfCheckKind>[0], 'room'> {
  const { name, systems, config, folder, database, records, environment } = deps;
  const within = config.schedules[name]?.backupWithin;
  const { apiUrl, botToken } = config.slack;
  const places = Object.entries(config.environments[name]?.systems ?? {}).map(
    ([system, settings]) => [system, tlsPlacesOf(settings)] as const,
  );
  return {
    systems,
    clock,
    certificates: () => readCertificateEnds(new Map(places)),
    look: () => lookAtSelf(database.pool, name),
    slack: async () => testToken(apiUrl, await readSecret(botToken)),
    newestBackup: async () => (await folder.listSets(name))[0] ?? null,
    backupWithin: within === undefined ? null : millisecondsOf(within),
    endedHolds: () => findEndedHolds(records, environment(), clock.now()),
  };
}
