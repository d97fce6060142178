import type { Connection } from './connection.ts';

/** Each in a statement of its own; all may be repeated. */
const STATEMENTS = [
  'CREATE CONSTRAINT _tas_batch_key IF NOT EXISTS FOR (b:_TasBatch) REQUIRE b.key IS UNIQUE',
  'CREATE CONSTRAINT _tas_fence_environment IF NOT EXISTS FOR (f:_TasFence) REQUIRE f.environment IS UNIQUE',
  'CREATE INDEX _tas_batch_step IF NOT EXISTS FOR (b:_TasBatch) ON (b.run, b.step, b.index)',
  'CREATE INDEX _tas_batch_undoes IF NOT EXISTS FOR (b:_TasBatch) ON (b.undoes)',
];
const NAMES = ['_tas_batch_key', '_tas_fence_environment', '_tas_batch_step', '_tas_batch_undoes'];

/**
 * Makes the journal's constraints where they are missing. Asked before every batch, not once: a restore by another
 * process may have taken them away, and without them a batch could be done twice.
 */
export async function ensureJournalSchema(connection: Connection): Promise<void> {
  const rows = await connection.read((transaction) =>
    transaction.run("SHOW INDEXES YIELD name, state WHERE name IN $names AND state = 'ONLINE' RETURN count(*)", {
      names: NAMES,
    }),
  );
  if (Number(rows[0]?.[0]) === NAMES.length) return;
  for (const statement of STATEMENTS) await connection.command(statement);
  await connection.command('CALL db.awaitIndexes(60)');
}
