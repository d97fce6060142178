import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../shared/failure.ts';
import { digestOf } from '../../shared/json.ts';
import type { BackupContext, BackupPart, Fingerprint } from '../system.ts';
import { checkFiles, corrupt, DUMP, PROPERTIES } from './backup.ts';
import { createDatabase, type Database } from './database.ts';
import {
  applyProperties,
  createLike,
  type DatabaseProperties,
  propertiesSchema,
  readProperties,
} from './database-properties.ts';
import { fingerprint } from './fingerprint.ts';
import { quoteName } from './identifiers.ts';
import { createJournal, hasJournal, raiseFence } from './journal-store.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { connectionTo, findTools } from './tools.ts';

const LEAVE_MS = 20_000;
const JOBS = 2;

/** The databases of one restore. Which of them exist tells where an earlier call stopped. */
interface Names {
  readonly live: string;
  /** Filled and compared beside the live one. */
  readonly scratch: string;
  /** The live one of before, kept until the new one stands in its place. */
  readonly old: string;
}

/**
 * Restores beside the live database, compares, and only then puts the new one in its place by two renames in one
 * transaction. Called again after a crash it goes on from what it finds.
 */
export async function restore(
  options: PostgresOptions,
  database: Database,
  part: BackupPart,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  await checkFiles(options.name, part, folder);
  const admin = createDatabase({ ...options, database: options.database === 'postgres' ? 'template1' : 'postgres' });
  try {
    const names = namesFor(options.database, part);
    const exists = (name: string): Promise<boolean> =>
      admin.transact({ readOnly: true }, async (session) => (await readProperties(session, name)) !== null);
    await checkRights(options, admin);
    const [live, old] = [await exists(names.live), await exists(names.old)];
    if (!live && old) await admin.execute(`ALTER DATABASE ${quoteName(names.old)} RENAME TO ${quoteName(names.live)}`);
    // An earlier call may have closed it and stopped there.
    if (live || old) await admin.execute(`ALTER DATABASE ${quoteName(names.live)} ALLOW_CONNECTIONS true`);
    // Both: an earlier call got as far as the renames. It is done if what stands there is what the part holds.
    const finished = live && old ? await fingerprintNow(options, names.live) : null;
    if (finished?.hash !== part.fingerprint.hash) {
      await drop(admin, names.scratch);
      const properties = await propertiesFor(admin, names.live, folder);
      await fillScratch(options, admin, names.scratch, properties, part, folder, context);
      await carryFences(options, database, names);
      if (live && old) await drop(admin, names.old);
      database.reset();
      await swap(options, admin, names, properties);
    }
    await drop(admin, names.old);
    database.reset();
    return await fingerprint(database);
  } finally {
    await admin.close();
  }
}

function namesFor(live: string, part: BackupPart): Names {
  const suffix = digestOf(part.files.map((file) => file.sha256)).slice(0, 8);
  const start = live.slice(0, 40);
  return { live, scratch: `${start}_restore_${suffix}`, old: `${start}_replaced_${suffix}` };
}

export async function checkRights(options: PostgresOptions, admin: Database): Promise<void> {
  const [row] = await admin.transact({ readOnly: true }, (session) =>
    session.rows(
      `SELECT r.rolsuper OR r.rolcreatedb AS creates, r.rolsuper OR coalesce((SELECT pg_has_role(d.datdba, 'MEMBER')
         FROM pg_database d WHERE d.datname = $1), true) AS owns FROM pg_roles r WHERE r.rolname = current_user`,
      [options.database],
    ),
  );
  const missing =
    row?.creates !== 't' ? 'may not create databases' : row.owns !== 't' ? 'does not own the database' : null;
  if (missing === null) return;
  const user = quoteName(options.user);
  throw new Failure({
    code: 'missing-rights',
    message: `${options.name}: user ${options.user} ${missing}, and so cannot restore ${options.database}.`,
    advice:
      row?.creates !== 't'
        ? `As a superuser: ALTER ROLE ${user} CREATEDB; then ask again.`
        : `As a superuser: ALTER DATABASE ${quoteName(options.database)} OWNER TO ${user}; then ask again.`,
  });
}

/** Those of the live database; where it is gone, those that it had at the time of the backup. */
export async function propertiesFor(admin: Database, live: string, folder: string): Promise<DatabaseProperties> {
  const standing = await admin.transact({ readOnly: true }, (session) => readProperties(session, live));
  if (standing) return standing;
  return propertiesSchema.parse(JSON.parse(await readFile(path.join(folder, PROPERTIES), 'utf8')));
}

/** Restores the part into a new database and compares; one that is not what was backed up is dropped again. `made`: it is there. Answers what it holds. */
export async function fillScratch(
  options: PostgresOptions,
  admin: Database,
  name: string,
  properties: DatabaseProperties,
  part: BackupPart,
  folder: string,
  context: BackupContext,
  made: () => Promise<void> = async () => undefined,
): Promise<Fingerprint> {
  const tools = await findTools(options, admin);
  const total = Object.values(part.fingerprint.counts).reduce((sum, count) => sum + count, 0);
  context.progress(0, total, 'rows');
  await createLike(admin, name, properties);
  try {
    await made();
    const args = ['--exit-on-error', `--jobs=${JOBS}`, connectionTo(name), path.join(folder, DUMP)];
    await tools.run('pg_restore', args, context.signal);
    const found = await fingerprintNow(options, name);
    if (found.hash !== part.fingerprint.hash) {
      throw corrupt(options.name, 'what it restores to is not what was backed up (counts or fingerprint differ)');
    }
    context.progress(total, total, 'rows');
    await inDatabase(options, name, (scratch) => scratch.execute('ANALYZE'));
    return found;
  } catch (error) {
    await drop(admin, name);
    throw error;
  }
}

/** A fence never goes back: a process that lost its lease after the backup stays out after the restore too. */
async function carryFences(options: PostgresOptions, live: Database, names: Names): Promise<void> {
  const fences = await live
    .transact({ readOnly: true }, async (session) =>
      (await hasJournal(session)) ? session.rows('SELECT environment, token FROM tas_journal.fence', []) : [],
    )
    .catch((error: { code?: string }) => {
      // A database that is gone has no fence to keep.
      if (error.code === '3D000') return [];
      throw error;
    });
  if (fences.length === 0) return;
  await inDatabase(options, names.scratch, (scratch) =>
    scratch.transact({}, async (session) => {
      await createJournal(session);
      for (const { environment, token } of fences) {
        await raiseFence(session, { environment: environment ?? '', token: Number(token) });
      }
    }),
  );
}

async function swap(
  options: PostgresOptions,
  admin: Database,
  names: Names,
  properties: DatabaseProperties,
): Promise<void> {
  const [live, scratch, old] = [quoteName(names.live), quoteName(names.scratch), quoteName(names.old)];
  const replaces = await admin.transact(
    { readOnly: true },
    async (session) => (await readProperties(session, names.live)) !== null,
  );
  try {
    if (replaces) await admin.execute(`ALTER DATABASE ${live} ALLOW_CONNECTIONS false`);
    await endSessions(options, admin, names);
    await admin.transact({ lockTimeout: LEAVE_MS }, async (session) => {
      await applyProperties(session, names.scratch, properties);
      if (replaces) await session.rows(`ALTER DATABASE ${live} RENAME TO ${old}`, []);
      await session.rows(`ALTER DATABASE ${scratch} RENAME TO ${live}`, []);
    });
  } catch (error) {
    if (replaces) await admin.execute(`ALTER DATABASE ${live} ALLOW_CONNECTIONS true`).catch(() => undefined);
    throw error;
  }
}

async function endSessions(options: PostgresOptions, admin: Database, names: Names): Promise<void> {
  const end = Date.now() + LEAVE_MS;
  for (;;) {
    const left = await admin.transact({}, (session) =>
      session.rows(
        `SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE datname IN ($1, $2) AND pid <> pg_backend_pid()`,
        [names.live, names.scratch],
      ),
    );
    if (left.length === 0) return;
    if (Date.now() > end) {
      throw new Failure({
        code: 'environment-busy',
        message: `${options.name}: ${left.length} sessions of ${names.live} do not end.`,
        advice: 'Stop the services that use it, then ask again; the database is as it was.',
        retryable: true,
      });
    }
    await sleep(100);
  }
}

export async function drop(admin: Database, name: string): Promise<void> {
  await admin.execute(`DROP DATABASE IF EXISTS ${quoteName(name)} WITH (FORCE)`);
}

async function fingerprintNow(options: PostgresOptions, name: string): Promise<Fingerprint> {
  return inDatabase(options, name, fingerprint);
}

/** Works in another database of the server, by connections of its own. */
export async function inDatabase<T>(
  options: PostgresOptions,
  name: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = createDatabase({ ...options, database: name });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
