import { z } from 'zod';
import { type ButtonMeaning, buttonActions, type Outbox } from '../slack/outbox.ts';
import type { Database } from './database.ts';

const meaning: z.ZodType<ButtonMeaning> = z.object({
  action: z.enum(buttonActions),
  runId: z.string().nullable(),
  digest: z.string().nullable(),
  words: z.string().nullable(),
});

const cursorColumn = { channel: 'event_id', thread: 'thread_event_id' } as const;

/** What the announcer remembers, in the bot's own PostgreSQL. */
export function createOutboxStore(database: Database): Outbox {
  return { ...cursors(database), ...posts(database), ...buttons(database), ...members(database) };
}

function cursors({ pool }: Database): Pick<Outbox, 'cursor' | 'moveCursor'> {
  return {
    async cursor(where) {
      const { rows } = await pool.query<{ id: string }>(`select ${cursorColumn[where]} as id from tas.outbox_cursor`);
      return Number(rows[0]?.id ?? 0);
    },
    async moveCursor(where, eventId) {
      const column = cursorColumn[where];
      await pool.query(
        `insert into tas.outbox_cursor (${column}) values ($1)
         on conflict (only_row) do update set ${column} = greatest(tas.outbox_cursor.${column}, excluded.${column})`,
        [eventId],
      );
    },
  };
}

function posts({
  pool,
}: Database): Pick<Outbox, 'post' | 'lastPost' | 'postedAbout' | 'beginPost' | 'finishPost' | 'beginAnew'> {
  return {
    async post(about, name) {
      const { rows } = await pool.query<{ channel: string; ts: string | null }>(
        'select channel, ts from tas.post where about = $1 and name = $2',
        [about, name],
      );
      return rows[0] ?? null;
    },
    async lastPost(about, channel) {
      const { rows } = await pool.query<{ name: string; ts: string }>(
        `select name, ts from tas.post where about = $1 and channel = $2 and ts is not null
          order by number desc limit 1`,
        [about, channel],
      );
      return rows[0] ?? null;
    },
    async postedAbout(channel, ts) {
      const { rows } = await pool.query<{ about: string }>(
        'select about from tas.post where ts = $2 and channel = $1',
        [channel, ts],
      );
      return rows[0]?.about ?? null;
    },
    async beginPost(about, name, channel) {
      await pool.query('insert into tas.post (about, name, channel) values ($1, $2, $3) on conflict do nothing', [
        about,
        name,
        channel,
      ]);
    },
    async finishPost(about, name, ts) {
      await pool.query('update tas.post set ts = $3 where about = $1 and name = $2', [about, name, ts]);
    },
    async beginAnew(about, name, ts) {
      const { rowCount } = await pool.query(
        'update tas.post set ts = null, anew = true where about = $1 and name = $2 and ts = $3 and not anew',
        [about, name, ts],
      );
      return rowCount === 1;
    },
  };
}

function buttons({ pool }: Database): Pick<Outbox, 'submitWindow' | 'saveButton' | 'button'> {
  return {
    async submitWindow(viewId) {
      const { rowCount } = await pool.query(
        `with forgotten as (delete from tas.submitted_window where submitted_at < now() - interval '7 days')
         insert into tas.submitted_window (view_id) values ($1) on conflict do nothing`,
        [viewId],
      );
      return rowCount === 1;
    },
    async saveButton(token, value) {
      await pool.query('insert into tas.button (token, meaning) values ($1, $2) on conflict do nothing', [
        token,
        JSON.stringify(value),
      ]);
    },
    async button(token) {
      const { rows } = await pool.query<{ meaning: unknown }>('select meaning from tas.button where token = $1', [
        token,
      ]);
      return rows[0] === undefined ? null : meaning.parse(rows[0].meaning);
    },
  };
}

function members(database: Database): Pick<Outbox, 'saveMembers' | 'members'> {
  const { pool } = database;
  return {
    async saveMembers(group, users, now) {
      await database.tx(async (client) => {
        // Locks the group until the end: of two who list it for the first time one does, and the other adds to it.
        const { rows } = await client.query<{ first: boolean }>(
          `insert into tas.group_listing as listing (group_id, first_listed_at) values ($1, $2)
           on conflict (group_id) do update set first_listed_at = listing.first_listed_at returning xmax = 0 as first`,
          [group, now],
        );
        await client.query('delete from tas.group_member where group_id = $1 and not user_id = any($2::text[])', [
          group,
          users,
        ]);
        await client.query(
          `insert into tas.group_member (group_id, user_id, since) select $1, unnest($2::text[]), $3
           on conflict do nothing`,
          [group, users, rows[0]?.first === true ? null : now],
        );
      });
    },
    async members(group) {
      const { rows } = await pool.query<{ user_id: string; since: Date | null }>(
        'select user_id, since from tas.group_member where group_id = $1',
        [group],
      );
      return rows.map(({ user_id: id, since }) => ({ id, since: since?.toISOString() ?? null }));
    },
  };
}
