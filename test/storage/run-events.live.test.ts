import { jest } from '@jest/globals';
import type { RunEvent } from '../../src/runs/run.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createRunStore } from '../../src/storage/run-store.ts';
import { type BotDatabase, createBotDatabase, newRun, until } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterAll(() => bot.drop());

async function lastId(): Promise<number> {
  return Number((await bot.sql('select coalesce(max(id), 0) as id from tas.run_event'))[0]?.id);
}

/** Pids of the connections that listen. */
async function listeners(): Promise<number[]> {
  const rows = await bot.sql(
    `select pid from pg_stat_activity where datname = current_database() and query = 'listen tas_run_event'`,
  );
  return rows.map(({ pid }) => pid as number);
}

describe('events', () => {
  it('are read in order and without gaps while ten processes write', async () => {
    const runs = Array.from({ length: 10 }, () => newRun());
    for (const run of runs) await bot.records.create(run);
    const from = await lastId();
    const others = await Promise.all(runs.map(() => openDatabase(bot.url, createLogger('silent'))));
    const stores = others.map((database) => createRunStore({ ...bot, database, clock: { now: () => new Date() } }));
    const seen: RunEvent[] = [];
    let writing = true;
    const reader = (async () => {
      for (let cursor = from; ; ) {
        const done = !writing;
        const batch = await bot.records.events(cursor, 7);
        seen.push(...batch);
        cursor = batch.at(-1)?.id ?? cursor;
        if (done && batch.length === 0) return;
      }
    })();
    const each = 40;
    await Promise.all(
      stores.map(async (records, i) => {
        for (let n = 0; n < each; n += 1) await records.event(runs[i]?.id ?? '', 'progress', String(n), null);
      }),
    );
    writing = false;
    await reader;
    for (const database of others) await database.close();
    expect(seen).toHaveLength(each * runs.length);
    for (const { id } of runs) {
      const texts = seen.filter(({ runId }) => runId === id).map(({ text }) => Number(text));
      expect(texts).toEqual(Array.from({ length: each }, (_, n) => n));
    }
    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are told once under one name, however often they are written', async () => {
    const [run, other] = [newRun(), newRun()];
    await bot.records.create(run);
    await bot.records.create(other);
    const from = await lastId();
    for (const once of ['1:a', '1:a', '2:a', null, null]) await bot.records.event(run.id, 'step-done', once, once);
    await bot.records.event(other.id, 'step-done', '1:a', '1:a');
    const told = (await bot.records.events(from, 20)).map(
      ({ runId, text }) => `${runId === run.id ? 'run' : 'other'} ${text}`,
    );
    expect(told).toEqual(['run 1:a', 'run 2:a', 'run null', 'run null', 'other 1:a']);
  });

  it('of a transaction that fails are not read', async () => {
    const run = newRun();
    await bot.records.create(run);
    const before = await lastId();
    const failing = bot.records.voteAndMove(
      run.id,
      { voter: { id: 'U', name: 'u' }, choice: 'approve', digest: 'd', reason: null, at: new Date().toISOString() },
      () => {
        throw new Error('no');
      },
    );
    await expect(failing).rejects.toThrow();
    expect(await bot.records.events(before, 10)).toEqual([]);
  });
});

describe('listening', () => {
  it('wakes at once, at each event, and no more after it was stopped', async () => {
    const run = newRun();
    await bot.records.create(run);
    let wakes = 0;
    const stop = await bot.records.listen(() => {
      wakes += 1;
    });
    expect(wakes).toBe(1);
    await bot.records.event(run.id, 'progress', null, null);
    await until('a wake', async () => wakes >= 2);
    await stop();
    await bot.records.event(run.id, 'progress', null, null);
    expect(await listeners()).toEqual([]);
    expect(wakes).toBe(2);
  });

  it('survives a connection that is terminated, and wakes then, since it may have missed something', async () => {
    const run = newRun();
    await bot.records.create(run);
    let wakes = 0;
    const stop = await bot.records.listen(() => {
      wakes += 1;
    });
    for (let round = 0; round < 2; round += 1) {
      const [pid] = await until('a listener', async () => ((await listeners()).length > 0 ? listeners() : null));
      const before = wakes;
      await bot.sql('select pg_terminate_backend($1)', [pid]);
      await until('a wake after it reconnected', async () => wakes > before);
      const now = wakes;
      await bot.records.event(run.id, 'progress', null, null);
      await until('a wake by an event', async () => wakes > now);
    }
    await stop();
    await until('no listener', async () => (await listeners()).length === 0);
  });

  it('fails when the server is not there, and does not try behind the back of who asked', async () => {
    const nowhere = createRunStore({
      ...bot,
      url: new Secret('postgresql://u:p@127.0.0.1:1/x'),
      clock: { now: () => new Date() },
    });
    let wakes = 0;
    await expect(nowhere.listen(() => (wakes += 1))).rejects.toThrow();
    expect(wakes).toBe(0);
  });

  it('are written while somebody changes their run: neither waits for the other for ever', async () => {
    const run = newRun();
    await bot.records.create(run);
    await bot.records.move(run.id, 'queued', { type: 'approved', text: null });
    await bot.records.move(run.id, 'running', { type: 'started', text: null });
    const writer = await bot.database.pool.connect();
    try {
      await writer.query('begin');
      // As an event is written: its lock first, then the row, which looks whether the run is there.
      await writer.query('select pg_advisory_xact_lock(7282020)');
      const asked = bot.records.askToHalt(run.id, 'pause', { id: 'UERIN', name: 'erin' });
      await until('somebody who waits for the events', async () => {
        const waiting = await bot.sql(`select from pg_locks where locktype = 'advisory' and not granted`);
        return waiting.length > 0;
      });
      await writer.query(`insert into tas.run_event (run_id, at, type) values ($1, now(), 'progress')`, [run.id]);
      await writer.query('commit');
      expect(await asked).toBe('asked');
    } finally {
      writer.release();
    }
  });
});
