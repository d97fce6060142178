import { statfs } from 'node:fs/promises';
import { sayBytes } from '../../shared/bytes-text.ts';
import { Failure } from '../../shared/failure.ts';
import { digestOf } from '../../shared/json.ts';
import type { BackupContext, BackupPart } from '../system.ts';
import type { Scratch } from '../trial.ts';
import { checkFiles } from './backup.ts';
import { createDatabase, type Database } from './database.ts';
import { readProperties } from './database-properties.ts';
import { quoteName, quoteText } from './identifiers.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { violations } from './reads.ts';
import { checkRights, drop, fillScratch, inDatabase, propertiesFor } from './restore.ts';

/** What says that a database is the bot's own and may go. */
const MARK = 'restored by tas to try a backup; it may be dropped';
/** So many times the live database must be free. */
const SPARE = 2;

/**
 * Restores the part into a database of its own beside the live one, which is only read; it goes at the end, and one that a
 * killed call has left goes at the beginning. Takes the same rights as a restore.
 */
export async function restoreBeside<T>(
  options: PostgresOptions,
  part: BackupPart,
  folder: string,
  context: BackupContext,
  look: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  await checkFiles(options.name, part, folder);
  const admin = createDatabase({ ...options, database: options.database === 'postgres' ? 'template1' : 'postgres' });
  const name = scratchName(options.database);
  try {
    await checkRights(options, admin);
    await checkRoom(options, admin);
    await clear(options, admin, name);
    const properties = await propertiesFor(admin, options.database, folder);
    try {
      const made = () => mark(admin, name);
      const fingerprint = await fillScratch(options, admin, name, properties, part, folder, context, made);
      return await inDatabase(options, name, async (database) =>
        look({
          fingerprint,
          violations: (statement) => database.guard(() => violations(database, statement)),
        }),
      );
    } finally {
      await drop(admin, name);
    }
  } finally {
    await admin.close();
  }
}

/** One for each live database, so that what is left can be found. */
function scratchName(live: string): string {
  return `tas_drill_${digestOf(['drill', live]).slice(0, 12)}`;
}

async function mark(admin: Database, name: string): Promise<void> {
  await admin.execute(`COMMENT ON DATABASE ${quoteName(name)} IS ${quoteText(MARK)}`);
}

/** Drops what an earlier call has left. One without the mark goes only while it is empty: a call may die before it marks. */
async function clear(options: PostgresOptions, admin: Database, name: string): Promise<void> {
  const there = await admin.transact({ readOnly: true }, (session) => readProperties(session, name));
  if (there === null) return;
  if (there.comment !== MARK && !(await inDatabase(options, name, isEmpty))) {
    throw new Failure({
      code: 'precondition-failed',
      message: `${options.name}: there is a database ${name} that is not the bot's.`,
      advice: 'Rename it: the bot restores into a database of that name to try backups. Nothing was changed.',
    });
  }
  await drop(admin, name);
}

async function isEmpty(database: Database): Promise<boolean> {
  const [row] = await database.transact({ readOnly: true }, (session) =>
    session.rows(
      `SELECT count(*) AS n FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`,
      [],
    ),
  );
  return row?.n === '0';
}

/** The live database must not stop because a copy of it has filled its disk. Where the bot does not see it, nothing is known. */
async function checkRoom({ name, database, dataFolder }: PostgresOptions, admin: Database): Promise<void> {
  const disk = dataFolder === undefined ? null : await statfs(dataFolder).catch(() => null);
  if (disk === null) return;
  const [row] = await admin.transact({ readOnly: true }, (session) =>
    session.rows('SELECT pg_database_size(datname) AS bytes FROM pg_database WHERE datname = $1', [database]),
  );
  const needed = SPARE * Number(row?.bytes ?? 0);
  if (disk.bavail * disk.bsize >= needed) return;
  throw new Failure({
    code: 'disk-full',
    message: `${name}: a copy beside the live database needs ${sayBytes(needed)} free, and that is not there.`,
    advice: 'Free room on the server. Nothing was restored.',
  });
}
