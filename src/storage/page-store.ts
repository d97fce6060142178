import type pg from 'pg';
import {
  eventName,
  isWorse,
  type Page,
  type PageDetail,
  type PageReason,
  type PageStore,
  type Severity,
} from '../oncall/page.ts';
import type { Database } from './database.ts';

interface PageRow {
  key: string;
  environment: string;
  reason: PageReason;
  severity: Severity;
  summary: string;
  advice: string;
  run_id: string | null;
  state: 'raised' | 'resolved';
  raised_at: Date;
  version: number;
  tried: boolean;
  attempts: number;
}

const namedByEvents = eventName(0).slice(0, -1);

/** Pages in the bot's own PostgreSQL. */
export function createPageStore(database: Database): PageStore {
  const { pool } = database;
  return {
    raise: (once, key, detail, at) =>
      database.tx(async (client) => {
        if (!(await isNew(client, once, key, at))) return;
        const { rows } = await client.query<PageRow>('select * from tas.page where key = $1 for update', [key]);
        const [before] = rows;
        if (before?.state === 'raised' && !isWorse(detail.severity, before.severity)) return;
        await write(client, key, detail, at);
      }),
    async resolve(key, at, event) {
      await pool.query(
        `update tas.page set state = 'resolved', version = version + 1, attempts = 0, next_at = $2
          where key = $1 and state = 'raised' and ($3::bigint is null or not exists (
            select from tas.page_change where key = $1 and once like $4 || '%' and substr(once, $5)::bigint > $3))`,
        [key, at, event ?? null, namedByEvents, namedByEvents.length + 1],
      );
    },
    async claim(now) {
      // Whoever sends may die right after: from here on its raising counts as told.
      const { rows } = await pool.query<PageRow>(
        `update tas.page set claimed_until = $1::timestamptz + interval '1 minute', tried = tried or state = 'raised'
          where key in (select key from tas.page where delivered < version and next_at <= $1
                          and (claimed_until is null or claimed_until <= $1) order by raised_at limit 20 for update skip locked)
          returning *`,
        [now],
      );
      return rows.map(toPage);
    },
    async delivered(key, version) {
      await pool.query(
        `update tas.page set delivered = greatest(delivered, $2), attempts = 0, tried = state = 'raised' or version > $2,
           claimed_until = null where key = $1`,
        [key, version],
      );
    },
    async postpone(key, version, next) {
      await pool.query(
        `update tas.page set attempts = attempts + 1, next_at = $3, claimed_until = null where key = $1 and version = $2`,
        [key, version, next],
      );
    },
    async open(environment) {
      const { rows } = await pool.query<PageRow>(
        `select * from tas.page where state = 'raised' and ($1::text is null or environment = $1) order by raised_at desc limit 50`,
        [environment],
      );
      return rows.map(toPage);
    },
    async cursor() {
      const read = () => pool.query<{ event_id: string }>('select event_id from tas.page_cursor');
      let { rows } = await read();
      if (rows[0] === undefined) {
        await pool.query(
          'insert into tas.page_cursor (event_id) select coalesce(max(id), 0) from tas.run_event on conflict do nothing',
        );
        // Read in a statement of its own: one that waited for another replica's row does not see it.
        ({ rows } = await read());
      }
      return Number(rows[0]?.event_id);
    },
    async moveCursor(eventId) {
      await pool.query('update tas.page_cursor set event_id = greatest(event_id, $1)', [eventId]);
    },
  };
}

async function isNew(client: pg.PoolClient, once: string, key: string, at: Date): Promise<boolean> {
  const { rowCount } = await client.query(
    'insert into tas.page_change (once, key, at) values ($1, $2, $3) on conflict do nothing',
    [once, key, at],
  );
  return rowCount === 1;
}

async function write(client: pg.PoolClient, key: string, detail: PageDetail, at: Date): Promise<void> {
  const { environment, reason, severity, summary, advice, runId } = detail;
  await client.query(
    `insert into tas.page (key, environment, reason, severity, summary, advice, run_id, state, raised_at, next_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'raised', $8, $8)
     on conflict (key) do update set reason = excluded.reason, severity = excluded.severity, summary = excluded.summary,
       advice = excluded.advice, state = 'raised', raised_at = excluded.raised_at, version = tas.page.version + 1,
       attempts = 0, next_at = excluded.next_at`,
    [key, environment, reason, severity, summary, advice, runId, at],
  );
}

function toPage(row: PageRow): Page {
  const { key, environment, reason, severity, summary, advice, state, version, tried, attempts } = row;
  const raisedAt = row.raised_at.toISOString();
  return {
    key,
    environment,
    reason,
    severity,
    summary,
    advice,
    runId: row.run_id,
    state,
    raisedAt,
    version,
    tried,
    attempts,
  };
}
