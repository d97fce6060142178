import type { BakeLooks } from '../oncall/bake.ts';
import type { Database } from './database.ts';

/** The looks after runs, in the bot's own PostgreSQL. */
export function createBakeStore({ pool }: Database): BakeLooks {
  return {
    async endedSince(since, actions) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from tas.run where status = 'done' and ended_at > $1 and action = any($2) and undone_by is null order by ended_at`,
        [since, actions],
      );
      return rows.map(({ id }) => id);
    },
    async claim(runId, minute, at) {
      const { rowCount } = await pool.query(
        'insert into tas.bake_look (run_id, minute, at) values ($1, $2, $3) on conflict do nothing',
        [runId, minute, at],
      );
      return rowCount === 1;
    },
    async save(runId, minute, wrong) {
      await pool.query('update tas.bake_look set wrong = $3 where run_id = $1 and minute = $2', [runId, minute, wrong]);
    },
    async read(runId) {
      const { rows } = await pool.query<{ wrong: string[] }>(
        'select wrong from tas.bake_look where run_id = $1 and wrong is not null order by minute',
        [runId],
      );
      return rows.map(({ wrong }) => wrong);
    },
  };
}
