import pg from 'pg';
import type { PostgresEndpoint } from '../../sandbox/servers/endpoints.ts';
import type { System } from '../../src/systems/system.ts';
import type { Contest } from './contest.ts';
import { perform, type Step } from './perform.ts';

const batch = 10_000;
const computed = "split_part(split_part(url, '/', 5), '?', 1)";

export const backfill: Step = {
  use: 'postgres.backfill-column',
  with: { table: 'bench_files', key: 'id', where: 'space_id IS NULL', columns: { space_id: computed } },
};

export function openTables({ url }: PostgresEndpoint): pg.Pool {
  return new pg.Pool({ connectionString: url, max: 2 });
}

/** Files with a column that is to be filled; made anew each time, so that no pass finds the dead rows of another. */
export async function makeFiles(pool: pg.Pool, rows: number): Promise<void> {
  await pool.query('DROP TABLE IF EXISTS bench_files');
  await pool.query(
    `CREATE TABLE bench_files (id uuid PRIMARY KEY, tenant_id text NOT NULL, filename text NOT NULL, url text NOT NULL,
       content_type text, size bigint, status text, space_id text, created_at timestamptz NOT NULL)`,
  );
  await pool.query(
    `INSERT INTO bench_files SELECT md5('file ' || n)::uuid, 'tenant_' || n, 'report-' || n || '.pdf',
       's3://storage/tenant_' || n || '/space_' || n || '/documents/report-' || n || '.pdf', 'application/pdf', n * 17, 'processed', NULL,
       timestamptz '2024-01-01' + n * interval '1 second' FROM generate_series(1, $1::int) AS n`,
    [rows],
  );
  await pool.query('VACUUM ANALYZE bench_files');
  await pool.query('CHECKPOINT');
}

/** By the key, ten thousand rows a transaction, as a careful person's script does it. */
export async function updateByKeys(pool: pg.Pool): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await pool.query<{ last: string | null; found: number }>(
      `WITH next AS (SELECT id FROM bench_files WHERE id > $1 AND space_id IS NULL ORDER BY id LIMIT ${batch} FOR UPDATE),
         changed AS (UPDATE bench_files f SET space_id = ${computed} FROM next WHERE f.id = next.id RETURNING f.id)
       SELECT count(*)::int AS found, max(id::text) AS last FROM changed`,
      [after],
    );
    const [{ last, found } = { last: null, found: 0 }] = rows;
    if (last !== null) after = last;
    if (found < batch) return;
  }
}

export async function updateAtOnce(pool: pg.Pool): Promise<void> {
  await pool.query(`UPDATE bench_files SET space_id = ${computed} WHERE space_id IS NULL`);
}

/** The journaled backfill against an update by keys, and against one big update; neither keeps a journal. */
export function tableContest(pool: pg.Pool, system: System, records: number): Contest {
  return {
    name: backfill.use,
    records,
    reset: () => makeFiles(pool, records),
    ours: () => perform(system, backfill),
    rivals: {
      'batched UPDATE by key': () => updateByKeys(pool),
      'one big UPDATE': () => updateAtOnce(pool),
    },
    async check() {
      const { rows } = await pool.query(
        `SELECT count(*)::int AS right FROM bench_files WHERE space_id = 'space_' || substr(tenant_id, 8)`,
      );
      if (rows[0].right !== records)
        throw new Error(`${rows[0].right} rows of ${records} are filled as they should be`);
    },
  };
}
