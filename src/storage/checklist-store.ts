import type pg from 'pg';
import { z } from 'zod';
import { type ChecklistItem, type GatePoint, storedItems } from '../checklists/checklist-item.ts';
import type {
  ChecklistChange,
  ChecklistRecords,
  ClickedBoxes,
  StoredChecklist,
  Tick,
} from '../checklists/checklist-records.ts';
import type { Clock } from '../shared/clock.ts';
import type { Database } from './database.ts';
import { goOn, writeEvent } from './run-changes.ts';
import type { RunQueueClient } from './run-queue-client.ts';

interface Deps {
  readonly database: Database;
  readonly queue: RunQueueClient;
  readonly clock: Clock;
}

/** Opens the checklist of a run, in the transaction that stores the run. */
export async function insertChecklist(
  client: pg.PoolClient,
  runId: string,
  items: readonly ChecklistItem[],
): Promise<void> {
  await client.query('insert into tas.checklist (run_id, items) values ($1, $2)', [runId, JSON.stringify(items)]);
}

/** Checklists in the bot's own PostgreSQL. */
export function createChecklistStore(deps: Deps): ChecklistRecords {
  const { database, clock } = deps;
  const { pool } = database;
  return {
    find: (runId) => readChecklist(pool, runId, ''),
    change: (runId, decide, boxes) =>
      database.tx(async (client) => {
        // The row's lock lets changes of one checklist, and its gates, go one after the other.
        const now = await readChecklist(client, runId, 'for update');
        if (now === null) return null;
        const before = boxes === undefined ? null : await readClick(client, boxes);
        const late = before?.late === true;
        const change = decide(now, before?.selected ?? null, late);
        if (boxes !== undefined && !late) await saveClick(client, runId, boxes);
        await write(client, clock, now, change);
        return change.answer;
      }),
    resume: (runId, text) =>
      database.tx(async (client) => {
        const { rowCount } = await client.query(
          'select from tas.checklist where run_id = $1 and waits_at is not null for update',
          [runId],
        );
        if (rowCount !== 1) return false;
        return goOn(deps, client, runId, { from: 'paused', text });
      }),
    async restless() {
      const { rows } = await pool.query<{ run_id: string }>(
        `select c.run_id from tas.checklist c join tas.run r on r.id = c.run_id
          where r.status in ('planned', 'queued', 'running', 'paused', 'parked')
             or c.shown_status is distinct from r.status or c.shown_undone_by is distinct from r.undone_by
          order by r.requested_at limit 200`,
      );
      return rows.map(({ run_id }) => run_id);
    },
    async shown(runId) {
      const { rows } = await pool.query<{ showing: number; look: string }>(
        'select showing, look from tas.checklist where run_id = $1',
        [runId],
      );
      return { number: rows[0]?.showing ?? 0, look: rows[0]?.look ?? '' };
    },
    async markShown(runId, before, { number, look }, { status, undoneBy }) {
      const { rowCount } = await pool.query(
        `update tas.checklist set showing = $3, look = $4, shown_status = $5, shown_undone_by = $6
          where run_id = $1 and showing = $2`,
        [runId, before, number, look, status, undoneBy],
      );
      return rowCount === 1;
    },
  };
}

interface ChecklistRow {
  items: unknown;
  waits_at: GatePoint | null;
  revision: number;
}

async function readChecklist(
  client: pg.Pool | pg.PoolClient,
  runId: string,
  lock: '' | 'for update',
): Promise<StoredChecklist | null> {
  const { rows } = await client.query<ChecklistRow>(
    `select items, waits_at, revision from tas.checklist where run_id = $1 ${lock}`,
    [runId],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const gates = await client.query<{ point: GatePoint; passed_at: Date }>(
    'select point, passed_at from tas.checklist_gate where run_id = $1',
    [runId],
  );
  return {
    runId,
    items: storedItems.parse(row.items),
    ticks: await readTicks(client, runId),
    passed: Object.fromEntries(gates.rows.map(({ point, passed_at }) => [point, passed_at.toISOString()])),
    waitsAt: row.waits_at,
    revision: row.revision,
  };
}

async function readTicks(client: pg.Pool | pg.PoolClient, runId: string): Promise<Tick[]> {
  const { rows } = await client.query<{ item: string; ticked: boolean; by_id: string; by_name: string; at: Date }>(
    `select distinct on (item) item, ticked, by_id, by_name, at from tas.checklist_tick
      where run_id = $1 order by item, id desc`,
    [runId],
  );
  return rows.map(({ item, ticked, by_id, by_name, at }) => ({
    itemId: item,
    ticked,
    by: { id: by_id, name: by_name },
    at: at.toISOString(),
  }));
}

async function write(
  client: pg.PoolClient,
  clock: Clock,
  { runId, waitsAt }: StoredChecklist,
  change: ChecklistChange<unknown>,
): Promise<void> {
  const now = clock.now();
  for (const { itemId, ticked, by } of change.ticks ?? []) {
    await client.query(
      'insert into tas.checklist_tick (run_id, item, ticked, by_id, by_name, at) values ($1, $2, $3, $4, $5, $6)',
      [runId, itemId, ticked, by.id, by.name, now],
    );
  }
  if (change.passes !== undefined) {
    await client.query(
      'insert into tas.checklist_gate (run_id, point, passed_at) values ($1, $2, $3) on conflict do nothing',
      [runId, change.passes, now],
    );
  }
  const ticked = (change.ticks ?? []).length > 0;
  const waits = change.waitsAt === undefined ? waitsAt : change.waitsAt;
  if (ticked || change.again === true || change.passes !== undefined || waits !== waitsAt) {
    await client.query('update tas.checklist set revision = revision + 1, waits_at = $2 where run_id = $1', [
      runId,
      waits,
    ]);
  }
  for (const text of change.said ?? []) await writeEvent(client, clock, runId, 'asked', text);
}

const selection = z.array(z.string());

/** What this person's boxes showed after his last click on them; null = he has not clicked there before. */
async function readClick(
  client: pg.PoolClient,
  { token, personId, sentAt }: ClickedBoxes,
): Promise<{ selected: readonly string[]; late: boolean } | null> {
  const { rows } = await client.query<{ selected: unknown; late: boolean }>(
    `select selected, sent_at > $3::numeric as late from tas.checklist_click where token = $1 and person_id = $2`,
    [token, personId, sentAt],
  );
  return rows[0] === undefined ? null : { selected: selection.parse(rows[0].selected), late: rows[0].late };
}

async function saveClick(
  client: pg.PoolClient,
  runId: string,
  { token, personId, selected, sentAt }: ClickedBoxes,
): Promise<void> {
  await client.query(
    `insert into tas.checklist_click (run_id, token, person_id, selected, sent_at) values ($1, $2, $3, $4, $5)
     on conflict (token, person_id) do update set selected = excluded.selected, sent_at = excluded.sent_at`,
    [runId, token, personId, JSON.stringify(selected), sentAt],
  );
}
