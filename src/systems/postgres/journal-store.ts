import { Failure } from '../../shared/failure.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Fence } from '../system.ts';
import type { Session } from './database.ts';
import { type BatchSummary, decodeBody, encodeBody, type JournalBody } from './journal-body.ts';

/** The name of a batch: unique in the store. */
export interface BatchKey {
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
}

const label = (key: BatchKey): string => `${key.runId}/${key.stepId}/${key.index}`;
const named = (key: BatchKey) => [key.runId, key.stepId, key.index] as const;
const ADVISORY_LOCK = 7_305_811_920;

/** Makes the journal's schema where it is missing, in its own words so that two at once do no harm. */
export async function createJournal(session: Session): Promise<void> {
  if (await hasJournal(session)) return;
  await session.rows('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
  await session.rows('CREATE SCHEMA IF NOT EXISTS tas_journal', []);
  await session.rows(
    `CREATE TABLE IF NOT EXISTS tas_journal.batch (run_id text, step_id text, "index" bigint,
       written_at timestamptz NOT NULL DEFAULT now(), summary jsonb, body bytea, PRIMARY KEY (run_id, step_id, "index"))`,
    [],
  );
  await session.rows(
    'CREATE TABLE IF NOT EXISTS tas_journal.fence (environment text PRIMARY KEY, token bigint NOT NULL)',
    [],
  );
}

export async function hasJournal(session: Session): Promise<boolean> {
  const [row] = await session.rows<{ found: string | null }>(
    `SELECT to_regclass('tas_journal.batch') IS NOT NULL AND to_regclass('tas_journal.fence') IS NOT NULL AS found`,
    [],
  );
  return row?.found === 't';
}

/** Takes the batch's name. Waits for another transaction that holds it; false = that one committed it. */
export async function claimBatch(session: Session, key: BatchKey): Promise<boolean> {
  const rows = await session.rows(
    `INSERT INTO tas_journal.batch (run_id, step_id, "index") VALUES ($1, $2, $3::bigint) ON CONFLICT DO NOTHING RETURNING 1 AS one`,
    named(key),
  );
  return rows.length === 1;
}

/** Touches the fence in the batch's own transaction; throws `fenced` where a later token stands. */
export async function checkFence(session: Session, fence: Fence): Promise<void> {
  const rows = await session.rows(
    `INSERT INTO tas_journal.fence AS f (environment, token) VALUES ($1, $2::bigint)
     ON CONFLICT (environment) DO UPDATE SET token = excluded.token WHERE f.token <= excluded.token RETURNING 1 AS one`,
    [fence.environment, fence.token],
  );
  if (rows.length === 1) return;
  throw new Failure({
    code: 'fenced',
    message: `Another process holds the environment ${fence.environment} by now; this one may change nothing any more.`,
    advice: 'Nothing of this batch was kept. The process that holds the environment goes on with the run.',
  });
}

/** Writes at least this token. */
export async function raiseFence(session: Session, fence: Fence): Promise<void> {
  await session.rows(
    `INSERT INTO tas_journal.fence AS f (environment, token) VALUES ($1, $2::bigint)
     ON CONFLICT (environment) DO UPDATE SET token = greatest(f.token, excluded.token)`,
    [fence.environment, fence.token],
  );
}

export async function writeBatch(
  session: Session,
  seal: Seal,
  key: BatchKey,
  body: JournalBody,
  summary: BatchSummary,
): Promise<void> {
  const sealed = await seal.seal(encodeBody(body), label(key));
  await session.rows(
    `UPDATE tas_journal.batch SET summary = $4::jsonb, body = decode($5, 'hex')
     WHERE run_id = $1 AND step_id = $2 AND "index" = $3::bigint`,
    [...named(key), JSON.stringify(summary), sealed.toString('hex')],
  );
}

/** Null where the batch was never committed. */
export async function readSummary(session: Session, key: BatchKey): Promise<BatchSummary | null> {
  const [row] = await session.rows<{ summary: string | null }>(
    'SELECT summary::text FROM tas_journal.batch WHERE run_id = $1 AND step_id = $2 AND "index" = $3::bigint',
    named(key),
  );
  return row?.summary ? (JSON.parse(row.summary) as BatchSummary) : null;
}

/** Null where the batch was never committed. */
export async function readBody(session: Session, seal: Seal, key: BatchKey): Promise<JournalBody | null> {
  const [row] = await session.rows<{ body: string | null }>(
    `SELECT encode(body, 'hex') AS body FROM tas_journal.batch WHERE run_id = $1 AND step_id = $2 AND "index" = $3::bigint`,
    named(key),
  );
  if (!row?.body) return null;
  return decodeBody(await seal.open(Buffer.from(row.body, 'hex'), label(key)));
}

/** The batches of a run that changed the schema. */
export async function listSchemaBatches(session: Session, runId: string): Promise<BatchKey[]> {
  if (!(await hasJournal(session))) return [];
  const rows = await session.rows<{ step_id: string; index: string }>(
    `SELECT step_id, "index"::text FROM tas_journal.batch WHERE run_id = $1 AND summary->>'keyColumn' IS NULL ORDER BY step_id, "index"`,
    [runId],
  );
  return rows.map((row) => ({ runId, stepId: row.step_id, index: Number(row.index) }));
}

/** How many batches a step committed: they are numbered from 0 without gaps. */
export async function countBatches(session: Session, runId: string, stepId: string): Promise<number> {
  if (!(await hasJournal(session))) return 0;
  const [row] = await session.rows<{ n: string }>(
    'SELECT count(*) AS n FROM tas_journal.batch WHERE run_id = $1 AND step_id = $2',
    [runId, stepId],
  );
  return Number(row?.n ?? 0);
}
