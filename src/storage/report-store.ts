import { validationReport } from '../notices/notice-content.ts';
import type { ReportStore } from '../reports/report-store.ts';
import type { Database } from './database.ts';

/** Reports of scheduled validations in the bot's own PostgreSQL. */
export function createReportStore(database: Database): ReportStore {
  const { pool } = database;
  const read = async (sql: string, values: unknown[]) => {
    const { rows } = await pool.query<{ content: unknown }>(sql, values);
    return rows.map(({ content }) => validationReport.parse(content));
  };
  return {
    async add(report, told) {
      const { rowCount } = await pool.query(
        `insert into tas.validation_report (run_id, schedule_id, at, told, content) values ($1, $2, $3, $4, $5) on conflict do nothing`,
        [report.runId, report.schedule, report.at, told, JSON.stringify(report)],
      );
      return rowCount === 1;
    },
    async find(runId) {
      return (await read('select content from tas.validation_report where run_id = $1', [runId]))[0] ?? null;
    },
    async lastBefore(schedule, at) {
      const sql = `select content from tas.validation_report where schedule_id = $1 and at < $2 order by at desc limit 1`;
      return (await read(sql, [schedule, at]))[0] ?? null;
    },
    async lastTold(schedule) {
      const { rows } = await pool.query<{ at: Date | null }>(
        'select max(at) as at from tas.validation_report where schedule_id = $1 and told',
        [schedule],
      );
      return rows[0]?.at?.toISOString() ?? null;
    },
    async history(schedule, until, limit) {
      const sql = `select content from tas.validation_report where schedule_id = $1 and at <= $2 order by at desc limit $3`;
      return (await read(sql, [schedule, until, limit])).reverse();
    },
    markFixed: (runId, keys, at) =>
      database.tx(async (client) => {
        const { rows } = await client.query<{ content: unknown }>(
          'select content from tas.validation_report where run_id = $1 for update',
          [runId],
        );
        if (rows[0] === undefined) return null;
        const before = validationReport.parse(rows[0].content);
        const marks = Object.fromEntries(keys.map((key) => [key, before.fixedLater[key] ?? at]));
        const after = { ...before, fixedLater: { ...before.fixedLater, ...marks } };
        await client.query('update tas.validation_report set content = $2 where run_id = $1', [
          runId,
          JSON.stringify(after),
        ]);
        return after;
      }),
  };
}
