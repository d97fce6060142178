import { Failure } from '../../shared/failure.ts';
import { sessionIntrusions } from '../no-sessions.ts';
import type { Fence, Health, StepKind, System } from '../system.ts';
import { backup } from './backup.ts';
import type { KindSetting } from './batch.ts';
import { createDataModel } from './data-model.ts';
import { createDatabase, type Database } from './database.ts';
import { isRetryable } from './errors.ts';
import { countRows, fingerprint } from './fingerprint.ts';
import { createJournalReader } from './journal-reader.ts';
import { createJournal, raiseFence } from './journal-store.ts';
import { addCheckKind } from './kinds/add-check.ts';
import { addColumnKind } from './kinds/add-column.ts';
import { addForeignKeyKind } from './kinds/add-foreign-key.ts';
import { alembicKind } from './kinds/alembic.ts';
import { awaitNoSessions } from './kinds/await-no-sessions.ts';
import { backfillColumnKind } from './kinds/backfill-column.ts';
import { createIndexKind } from './kinds/create-index.ts';
import { dropColumnKind } from './kinds/drop-column.ts';
import { dropTableKind } from './kinds/drop-table.ts';
import { insertRowsKind } from './kinds/insert-rows.ts';
import { renameColumnKind } from './kinds/rename-column.ts';
import { setNotNullKind } from './kinds/set-not-null.ts';
import { sqlKind } from './kinds/sql.ts';
import { readLoad } from './load.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { preflight } from './preflight.ts';
import { identity, lookup, scan, violations } from './reads.ts';
import { recovery } from './recovery.ts';
import { restore } from './restore.ts';
import { restoreBeside } from './restore-beside.ts';
import { createSessionStore } from './sessions.ts';

const FENCE_ATTEMPTS = 6;

/** Every step kind: the only line to add for a new one. */
const kindMakers: readonly ((setting: KindSetting) => StepKind)[] = [
  insertRowsKind,
  backfillColumnKind,
  addColumnKind,
  addForeignKeyKind,
  addCheckKind,
  setNotNullKind,
  createIndexKind,
  renameColumnKind,
  dropColumnKind,
  dropTableKind,
  sqlKind,
  alembicKind,
  awaitNoSessions,
];

/** One database of a PostgreSQL server (13 or later). Opens no connection before it is asked something. */
export function createPostgresSystem(options: PostgresOptions): System {
  const database = createDatabase(options);
  const setting: KindSetting = {
    system: options.name,
    database,
    password: options.password,
    seal: options.seal,
    logger: options.logger,
    ...(options.lockAttempts === undefined ? {} : { lockAttempts: options.lockAttempts }),
    ...(options.concurrentTimeout === undefined ? {} : { concurrentTimeout: options.concurrentTimeout }),
  };
  const { guard } = database;
  const { changesOf: _internal, ...journal } = createJournalReader(database, options.seal);
  return {
    name: options.name,
    type: 'postgres',
    kinds: kindMakers.map((kind) => guarded(kind(setting), database)),
    journal,
    recovery: (run) => recovery(options, run),
    dataModel: createDataModel(database),
    preflight: (needs) => guard(() => preflight(database, options.dataFolder ?? null, needs)),
    load: () => guard(() => readLoad(database, options.dataFolder !== undefined)),
    intrusions: (runIds) => sessionIntrusions(createSessionStore(database), runIds),
    identity: () => guard(() => identity(database)),
    checkHealth: () => checkHealth(database),
    clock: () => guard(() => readClock(database)),
    advanceFence: (fence) => guard(() => advanceFence(setting, fence)),
    lookup: (query, keys) => guard(() => lookup(database, query, keys)),
    scan: (query) => scan(database, query),
    violations: (statement) => guard(() => violations(database, statement)),
    fingerprint: () => guard(() => fingerprint(database)),
    counts: () => guard(() => countRows(database)),
    backup: (folder, context) => guard(() => backup(options, database, folder, context)),
    restore: (part, folder, context) => guard(() => restore(options, database, part, folder, context)),
    trial: {
      restoreBeside: (part, folder, context, look) => guard(() => restoreBeside(options, part, folder, context, look)),
    },
    close: () => database.close(),
  };
}

/** Waits for a batch that a killed process may have left open: it holds the fence until it ends. */
async function advanceFence({ database }: KindSetting, fence: Fence): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transact({}, async (session) => {
        await createJournal(session);
        await raiseFence(session, fence);
      });
    } catch (error) {
      if (!isRetryable(error) || attempt >= FENCE_ATTEMPTS) throw error;
    }
  }
}

async function checkHealth(database: Database): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    const [row] = await database.guard(() =>
      database.transact({ readOnly: true, statementTimeout: 5000 }, (session) =>
        session.rows(`SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby`, []),
      ),
    );
    const note = row?.standby === 't' ? { note: 'it is a standby: it can be read, not changed' } : {};
    return { up: true, version: row?.version ?? null, latencyMs: latency(), ...note };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}

async function readClock(database: Database): Promise<Date> {
  const [row] = await database.transact({ readOnly: true, statementTimeout: 5000 }, (session) =>
    session.rows('SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms', []),
  );
  return new Date(Number(row?.ms));
}

/** A kind whose driver errors leave as failures. */
function guarded(kind: StepKind, database: Database): StepKind {
  const { preview, performBatch, verify, previewUndo, undoBatch, previewRelease, releaseBatch } = kind;
  return {
    ...kind,
    preview: (input, context) => database.guard(() => preview(input, context)),
    performBatch: (input, batch, context) => database.guard(() => performBatch(input, batch, context)),
    ...(verify && { verify: (input, context) => database.guard(() => verify(input, context)) }),
    ...(previewUndo && { previewUndo: (input, context) => database.guard(() => previewUndo(input, context)) }),
    ...(previewRelease && {
      previewRelease: (input, context) => database.guard(() => previewRelease(input, context)),
    }),
    ...(releaseBatch && {
      releaseBatch: (input, batch, context) => database.guard(() => releaseBatch(input, batch, context)),
    }),
    ...(undoBatch && { undoBatch: (input, batch, context) => database.guard(() => undoBatch(input, batch, context)) }),
  };
}
