import type { DataModel, DataModelVersion, Fence } from '../system.ts';
import type { Database } from './database.ts';
import { checkFence, createJournal } from './journal-store.ts';

/** The version of the data model, in one row beside the journal: backups hold it, and a restore rewinds it. */
export function createDataModel(database: Database): DataModel {
  return {
    read: () => database.guard(() => read(database)),
    write: (version, fence) => database.guard(() => write(database, version, fence)),
  };
}

async function read(database: Database): Promise<DataModelVersion | null> {
  return database.transact({ readOnly: true }, async (session) => {
    const [table] = await session.rows(`SELECT to_regclass('tas_journal.data_model') IS NOT NULL AS there`, []);
    if (table?.there !== 't') return null;
    const [row] = await session.rows('SELECT version, run_id, written_at FROM tas_journal.data_model', []);
    return row ? { version: row.version ?? '', runId: row.run_id ?? '', at: row.written_at ?? '' } : null;
  });
}

async function write(database: Database, version: DataModelVersion | null, fence: Fence): Promise<void> {
  await database.transact({}, async (session) => {
    await createJournal(session);
    await checkFence(session, fence);
    // The fence's row is locked until the end, so no other process makes the table meanwhile.
    await session.rows(
      `CREATE TABLE IF NOT EXISTS tas_journal.data_model (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
         version text NOT NULL, run_id text NOT NULL, written_at text NOT NULL)`,
      [],
    );
    await session.rows('DELETE FROM tas_journal.data_model', []);
    if (version === null) return;
    await session.rows('INSERT INTO tas_journal.data_model (version, run_id, written_at) VALUES ($1, $2, $3)', [
      version.version,
      version.runId,
      version.at,
    ]);
  });
}
