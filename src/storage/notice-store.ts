import type pg from 'pg';
import type { NewNotice, Notice, NoticeRecords } from '../notices/notice.ts';
import { noticeContent } from '../notices/notice-content.ts';
import type { Clock } from '../shared/clock.ts';
import type { Secret } from '../shared/secret.ts';
import type { Database } from './database.ts';
import { listen } from './listen.ts';

const channel = 'tas_notice';
/** Notices commit in the order of their ids, so that a reader who follows the ids misses none. */
const noticeLock = 7_282_021;

interface NoticeRow {
  id: string;
  topic: string;
  to_channel: string | null;
  to_user: string | null;
  thread: string | null;
  anew: boolean;
  once: string;
  content: unknown;
  image: Buffer | null;
  image_shows: string | null;
  added_at: Date;
}

/** Notices in the bot's own PostgreSQL. */
export function createNoticeStore(deps: {
  readonly database: Database;
  readonly url: Secret;
  readonly clock: Clock;
}): NoticeRecords {
  const { database, url, clock } = deps;
  const { pool } = database;
  return {
    async add(notices) {
      if (notices.length === 0) return;
      await database.tx(async (client) => {
        await client.query('select pg_advisory_xact_lock($1)', [noticeLock]);
        for (const notice of notices) await insert(client, notice, clock.now());
        await client.query(`notify ${channel}`);
      });
    },
    async list(afterId, limit) {
      const { rows } = await pool.query<NoticeRow>('select * from tas.notice where id > $1 order by id limit $2', [
        afterId,
        limit,
      ]);
      return rows.map(toNotice);
    },
    listen: (wake) => listen(url, channel, wake),
    async cursor() {
      const { rows } = await pool.query<{ notice_id: string }>('select notice_id from tas.notice_cursor');
      return Number(rows[0]?.notice_id ?? 0);
    },
    async moveCursor(id) {
      await pool.query(
        `insert into tas.notice_cursor (notice_id) values ($1)
         on conflict (only_row) do update set notice_id = greatest(tas.notice_cursor.notice_id, excluded.notice_id)`,
        [id],
      );
    },
    async refuse(id, word) {
      await pool.query('update tas.notice set refused = $2 where id = $1', [id, word]);
    },
  };
}

async function insert(client: pg.PoolClient, notice: NewNotice, at: Date): Promise<void> {
  const { topic, to, thread, anew, once, content, image } = notice;
  await client.query(
    `insert into tas.notice (topic, to_channel, to_user, thread, anew, once, content, image, image_shows, added_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (once) do nothing`,
    [
      topic,
      'channel' in to ? to.channel : null,
      'user' in to ? to.user : null,
      thread ?? null,
      anew,
      once,
      // PostgreSQL's jsonb takes no zero characters.
      JSON.stringify(content).replaceAll('\\u0000', ''),
      image?.png ?? null,
      image?.shows ?? null,
      at,
    ],
  );
}

function toNotice(row: NoticeRow): Notice {
  const content = noticeContent.safeParse(row.content);
  return {
    id: Number(row.id),
    at: row.added_at.toISOString(),
    topic: row.topic,
    to: row.to_user === null ? { channel: row.to_channel ?? '' } : { user: row.to_user },
    anew: row.anew,
    once: row.once,
    content: content.success ? content.data : null,
    ...(row.thread === null ? {} : { thread: row.thread }),
    ...(row.image === null ? {} : { image: { png: row.image, shows: row.image_shows ?? '' } }),
  };
}
