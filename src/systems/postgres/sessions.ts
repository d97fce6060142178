import { type SessionStore, type SessionWatch, type StepKey, sessionRules } from '../no-sessions.ts';
import type { Fence } from '../system.ts';
import type { Database, Session } from './database.ts';
import { checkFence, createJournal } from './journal-store.ts';

export type Rules = (typeof sessionRules)['_output'];

/** Who uses the database, and the runs' records that nobody may. */
export function createSessionStore(database: Database): SessionStore<Rules> {
  return {
    system: database.place.system,
    foreign: (rules) => database.guard(() => readForeign(database, rules)),
    watch: createWatch(database),
  };
}

/**
 * Client sessions on this database; the bot's own say `tas-bot` under its user. Rows of other users without a type are
 * shown to a user without pg_read_all_stats: they count as clients, except for replication.
 */
async function readForeign(database: Database, { except }: Rules) {
  const rows = await database.transact({ readOnly: true, statementTimeout: 10_000 }, (session) =>
    session.rows(
      `SELECT coalesce(application_name, '') AS application, coalesce(usename, '') AS "user", count(*) AS n
       FROM pg_catalog.pg_stat_activity
       WHERE datname = current_database() AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
         AND NOT (application_name ~ '^tas-bot( |$)' AND usename = current_user)
         AND pid NOT IN (SELECT pid FROM pg_catalog.pg_stat_replication)
         AND NOT (application_name = ANY ($1) OR usename = ANY ($1))
       GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`,
      [except],
    ),
  );
  return rows.map(({ application, user, n }) => ({
    application: application ?? '',
    user: user ?? '',
    count: Number(n),
  }));
}

function createWatch(database: Database): SessionWatch<Rules> {
  const read = <T>(none: T, work: (session: Session) => Promise<T>): Promise<T> =>
    database.guard(() =>
      database.transact({ readOnly: true }, async (session) => ((await isThere(session)) ? work(session) : none)),
    );
  const write = <T>(fence: Fence, work: (session: Session) => Promise<T>): Promise<T> =>
    database.guard(() =>
      database.transact({}, async (session) => {
        await createJournal(session);
        await checkFence(session, fence);
        // The fence's row is locked until the end, so no other process makes the table meanwhile.
        await session.rows(
          `CREATE TABLE IF NOT EXISTS tas_journal.session_watch (run_id text, step_id text, did text NOT NULL,
             stands boolean NOT NULL, rules jsonb NOT NULL, PRIMARY KEY (run_id, step_id))`,
          [],
        );
        return work(session);
      }),
    );
  return {
    begin: (key, rules, fence) =>
      write(fence, (session) => insert(session, key, { did: 'began', stands: true, rules: JSON.stringify(rules) })),
    reverse: (undoes, by, fence) => write(fence, (session) => reverse(session, undoes, by)),
    isRecorded: (key) => read(false, async (session) => (await find(session, key)) !== undefined),
    standing: (runIds) =>
      read<readonly Rules[]>([], async (session) => {
        const rows = await session.rows(
          'SELECT rules::text FROM tas_journal.session_watch WHERE stands AND run_id = ANY ($1) ORDER BY run_id, step_id',
          [runIds],
        );
        return rows.map(({ rules }) => sessionRules.parse(JSON.parse(rules ?? '{}')));
      }),
  };
}

async function isThere(session: Session): Promise<boolean> {
  const [row] = await session.rows(`SELECT to_regclass('tas_journal.session_watch') IS NOT NULL AS there`, []);
  return row?.there === 't';
}

interface Watched {
  readonly did: string;
  readonly stands: boolean;
  readonly rules: string;
}

async function find(session: Session, { runId, stepId }: StepKey): Promise<Watched | undefined> {
  const [row] = await session.rows(
    'SELECT did, stands, rules::text FROM tas_journal.session_watch WHERE run_id = $1 AND step_id = $2',
    [runId, stepId],
  );
  return row ? { did: row.did ?? '', stands: row.stands === 't', rules: row.rules ?? '{}' } : undefined;
}

async function insert(session: Session, { runId, stepId }: StepKey, { did, stands, rules }: Watched): Promise<void> {
  await session.rows(
    `INSERT INTO tas_journal.session_watch (run_id, step_id, did, stands, rules) VALUES ($1, $2, $3, $4, $5::jsonb)
     ON CONFLICT DO NOTHING`,
    [runId, stepId, did, stands, rules],
  );
}

async function reverse(session: Session, undoes: StepKey, by: StepKey): Promise<boolean> {
  const before = await find(session, undoes);
  if (!before) return false;
  const begins = before.did === 'ended';
  await session.rows('UPDATE tas_journal.session_watch SET stands = false WHERE run_id = $1 AND step_id = $2', [
    undoes.runId,
    undoes.stepId,
  ]);
  await insert(session, by, { did: begins ? 'began' : 'ended', stands: begins, rules: before.rules });
  return true;
}
