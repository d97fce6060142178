import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { StepPreview } from '../../../src/systems/system.ts';
import { alembicPython } from './alembic-python.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, doneBy, kindOf, perform, undo } from './step-life.ts';

jest.setTimeout(120_000);

const python = await alembicPython();
const suite = python === null ? describe.skip : describe;
const service = join(import.meta.dirname, 'alembic-service');

let db: FreshDatabase;
let folder: string;

const kind = () => kindOf(db.system, 'postgres.alembic');
const step = (to: string, from = 'base', more: object = {}) => ({
  folder,
  to,
  from,
  python: python ?? 'python3',
  urlScheme: 'postgresql+psycopg',
  ...more,
});
const look = (input: object): Promise<StepPreview> => kind().preview(kind().input.parse(input), contextOf('p'));
const lookBack = (input: object, runId: string) =>
  kind().previewUndo?.(kind().input.parse(input), contextOf('p', {}, { undoes: { runId, stepId: 'data.step' } }));
const stands = async () =>
  (await db.sql(`SELECT to_regclass('alembic_version') AS t`))[0]?.t === null
    ? null
    : ((await db.sql('SELECT version_num AS v FROM alembic_version'))[0]?.v ?? null);
const tables = async () =>
  (await db.sql(`SELECT tablename AS t FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)).map(({ t }) => t);
const failed = ({ findings }: StepPreview) => findings.filter(({ status }) => status === 'failed');
const conflicts = (run: string) => db.system.journal?.conflicts(run, 'data.step', 9);

beforeAll(async () => {
  db = await createFreshDatabase();
  folder = await mkdtemp(join(tmpdir(), 'tas-alembic-'));
  await cp(service, folder, { recursive: true });
});
afterAll(async () => {
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(letGo);
beforeEach(() => db.sql('DROP SCHEMA IF EXISTS tas_journal CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

suite('postgres.alembic', () => {
  it('shows what it would run, judged and linted, and writes nothing', async () => {
    expect(await look(step('r001'))).toMatchObject({
      count: 1,
      effect: 'adds',
      undoClass: 'reversible',
      locks: ['papers: the rows that it writes, until the transaction ends'],
    });
    expect(await tables()).toEqual([]);
    await perform(kind(), step('r001'), contextOf('run-0'));
    const seen = await look(step('r003', 'r001'));
    expect(failed(seen)).toEqual([]);
    expect(seen).toMatchObject({
      effect: 'changes',
      undoClass: 'reversible',
      locks: ['papers: nobody reads or writes it until the transaction ends'],
    });
    expect(seen.findings.map(({ check }) => check).sort()).toEqual([
      'conflicts-unknown',
      'where-is-given',
      'writers-go-on',
    ]);
    expect(await stands()).toBe('r001');
  });

  it('upgrades once, whoever asks again; undo downgrades, and its undo upgrades again', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    const input = step('r003', 'r001');
    expect(doneBy(await perform(kind(), input, contextOf('run-a', {}, { cap: 1 })))).toBe(1);
    expect(await stands()).toBe('r003');
    expect(await kind().verify?.(kind().input.parse(input), contextOf('run-a'))).toMatchObject([{ status: 'passed' }]);
    expect(doneBy(await perform(kindOf(db.second(), 'postgres.alembic'), input, contextOf('run-a')))).toBe(1);
    await expect(perform(kind(), input, contextOf('run-b'))).rejects.toMatchObject({
      code: 'precondition-failed',
      message: expect.stringContaining('alembic_version says r003'),
    });
    expect(await lookBack(input, 'run-a')).toMatchObject({
      count: 1,
      effect: 'destroys',
      findings: expect.arrayContaining([expect.objectContaining({ check: 'kept-aside' })]),
    });
    expect(await undo(kind(), input, contextOf('run-u'), 'run-a')).toMatchObject({ done: 1, kept: 0 });
    expect(await stands()).toBe('r001');
    expect(await undo(kind(), input, contextOf('run-v'), 'run-u')).toMatchObject({ done: 1 });
    expect(await stands()).toBe('r003');
    expect(await tables()).toEqual(['alembic_version', 'authors', 'papers']);
    expect(await undo(kind(), step('r001'), contextOf('run-w'), 'run-0')).toMatchObject({ done: 0, kept: 1 });
    expect(await conflicts('run-w')).toMatchObject([
      { base: 'base', ours: 'r001', theirs: 'r003', reason: 'changed-since' },
    ]);
    expect(await stands()).toBe('r003');
  });

  it('goes back to nothing', async () => {
    await perform(kind(), step('r002'), contextOf('run-a'));
    expect(await undo(kind(), step('r002'), contextOf('run-u'), 'run-a')).toMatchObject({ done: 1 });
    expect(await stands()).toBeNull();
    expect(await tables()).toEqual(['alembic_version']);
    expect(await undo(kind(), step('r002'), contextOf('run-x'), 'run-none')).toMatchObject({ done: 0 });
  });

  it('refuses where another revision stands, and revisions that the folder does not know', async () => {
    expect(failed(await look(step('r003', 'r002')))).toMatchObject([{ check: 'revision-stands', samples: ['base'] }]);
    expect(failed(await look(step('nowhere')))).toMatchObject([
      { check: 'revisions-known', samples: [expect.stringContaining('nowhere')] },
    ]);
    await perform(kind(), step('r002'), contextOf('run-a'));
    expect(failed(await look(step('r002')))).toMatchObject([
      { check: 'revision-stands', title: expect.stringContaining('r002 already') },
    ]);
  });

  it('is one-way where there is no downgrade, or an empty one', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    expect(await look(step('x_no_way_back', 'r001'))).toMatchObject({
      effect: 'destroys',
      undoClass: 'one-way',
      findings: [{ check: 'undo-said', samples: [expect.stringContaining('NotImplementedError')] }],
    });
    expect(await look(step('x_empty_way_back', 'r001'))).toMatchObject({
      effect: 'destroys',
      undoClass: 'one-way',
      findings: [{ check: 'effect-known', samples: [expect.stringContaining('DO block')] }, { check: 'undo-said' }],
    });
  });

  it('says that it cannot tell what a revision runs which asks the server, and takes it for destroying', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    const seen = await look(step('x_reads', 'r001'));
    expect(seen).toMatchObject({
      effect: 'destroys',
      findings: expect.arrayContaining([expect.objectContaining({ check: 'sql-is-shown', status: 'warning' })]),
    });
    expect(await perform(kind(), step('x_reads', 'r001'), contextOf('run-a'))).toMatchObject([{ done: 1 }]);
    expect(await db.sql('SELECT title FROM papers')).toEqual([{ title: "one; 'quoted' 😀 of 1" }]);
    await undo(kind(), step('x_reads', 'r001'), contextOf('run-u'), 'run-a');
    expect(await db.sql('SELECT title FROM papers')).toEqual([{ title: "one; 'quoted' 😀" }]);
  });

  it('keeps nothing of an upgrade that fails, tells no values, and undo then has nothing to do', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    const error = await perform(kind(), step('x_fails', 'r001'), contextOf('run-a')).catch(
      (thrown: Error) => thrown as Error,
    );
    expect(error).toMatchObject({ code: 'step-failed', message: expect.stringContaining('UniqueViolation') });
    const said = JSON.stringify([error, (error as Error).message]);
    expect(said).not.toContain('secret');
    expect(said).not.toContain(decodeURIComponent(db.url.password));
    expect(await tables()).toEqual(['alembic_version', 'papers']);
    expect(await stands()).toBe('r001');
    expect(await undo(kind(), step('x_fails', 'r001'), contextOf('run-u'), 'run-a')).toMatchObject({
      done: 0,
      kept: 0,
    });
  });

  it('is ended with all that it started when it is stopped, and goes on when it is called again', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    await hold();
    const stop = new AbortController();
    const running = perform(kind(), step('r003', 'r001'), contextOf('run-a', {}, { signal: stop.signal }));
    const watched = expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await waitsForLock();
    stop.abort();
    await watched;
    await noSessions();
    await letGo();
    expect(await stands()).toBe('r001');
    expect(doneBy(await perform(kind(), step('r003', 'r001'), contextOf('run-a')))).toBe(1);
    expect(await stands()).toBe('r003');
  });

  it('is tried again where others hold a lock, so that nobody queues behind it for long', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    await hold();
    const hurried = kindOf(db.second({ lockAttempts: 1 }), 'postgres.alembic');
    await expect(perform(hurried, step('r003', 'r001'), contextOf('run-a'))).rejects.toMatchObject({
      code: 'timed-out',
      retryable: true,
    });
    expect(await stands()).toBe('r001');
    await letGo();
    expect(doneBy(await perform(hurried, step('r003', 'r001'), contextOf('run-a')))).toBe(1);
  });

  it('is ended at its time limit', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    await hold();
    await expect(perform(kind(), step('r003', 'r001', { timeLimit: 2 }), contextOf('run-a'))).rejects.toMatchObject({
      code: expect.stringMatching(/timed-out|step-failed/),
    });
    await noSessions();
    await letGo();
    expect(await stands()).toBe('r001');
  });

  it('waits for an alembic that outlived its killed caller, then finds what that one did', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    await hold();
    const orphan = spawn(python ?? '', ['-m', 'alembic', 'upgrade', 'r003'], {
      cwd: folder,
      env: {
        DATABASE_URL: db.url.href.replace('postgresql:', 'postgresql+psycopg:'),
        PGAPPNAME: 'tas-bot alembic',
        PATH: process.env.PATH,
      },
      stdio: 'ignore',
    });
    const gone = new Promise((resolve) => orphan.once('close', resolve));
    await waitsForLock();
    const running = perform(kind(), step('r003', 'r001'), contextOf('run-a'));
    while (!(await intents())) await Promise.resolve();
    await letGo();
    expect(doneBy(await running)).toBe(1);
    await gone;
    expect(await stands()).toBe('r003');
  });

  it('goes on from the middle where alembic commits each revision by itself', async () => {
    await writeFile(join(folder, 'alembic/each-by-itself'), '');
    try {
      await perform(kind(), step('r001'), contextOf('run-0'));
      await db.sql('CREATE TABLE authors (taken int)');
      await expect(perform(kind(), step('r003', 'r001'), contextOf('run-a'))).rejects.toMatchObject({
        code: 'step-failed',
        advice: expect.stringContaining('stands at r002'),
      });
      await db.sql('DROP TABLE authors');
      expect(doneBy(await perform(kind(), step('r003', 'r001'), contextOf('run-a')))).toBe(1);
      expect(await stands()).toBe('r003');
    } finally {
      await rm(join(folder, 'alembic/each-by-itself'));
    }
  });

  it('says what to install where Python, alembic or the folder is missing', async () => {
    expect(failed(await look(step('r001', 'base', { python: '/nowhere/python3' })))).toMatchObject([
      { check: 'alembic-runs', advice: expect.stringContaining('pip install alembic') },
    ]);
    expect(failed(await look(step('r001', 'base', { folder: '/nowhere' })))).toMatchObject([
      { check: 'alembic-runs', title: expect.stringContaining('alembic.ini') },
    ]);
  });

  it('lets a revision write nothing in a preview, whatever its code does', async () => {
    await perform(kind(), step('r001'), contextOf('run-0'));
    const sly = `revision = 'x_sly'\ndown_revision = 'r001'\ndef upgrade():\n    import os, psycopg\n    psycopg.connect(os.environ['DATABASE_URL'].replace('+psycopg', ''), autocommit=True).execute('DROP TABLE papers')\ndef downgrade():\n    pass\n`;
    const path = join(folder, 'alembic/versions/x_sly.py');
    await writeFile(path, sly);
    try {
      expect(await look(step('x_sly', 'r001'))).toMatchObject({ effect: 'destroys', undoClass: 'one-way' });
      expect(await tables()).toContain('papers');
    } finally {
      await rm(path);
    }
  });

  it.each([
    { to: '--help' },
    { to: 'r001; rm -rf /' },
    { to: 'head' },
    { to: '+1' },
    { to: 'r001', python: '/bin/sh' },
    { to: 'r001', urlVariable: 'LD_PRELOAD' },
    { to: 'r001', urlScheme: 'file' },
    { to: 'r001', folder: 'relative' },
  ])('takes no %p', (wrong) => {
    expect(kind().input.safeParse({ ...step('r001'), ...wrong }).success).toBe(false);
    expect(kind().input.safeParse(step('r001')).success).toBe(true);
  });
});

let holder: Awaited<ReturnType<FreshDatabase['connect']>> | null = null;

/** Another session that is in the way. */
async function hold(): Promise<void> {
  holder = await db.connect();
  await holder.query('BEGIN; LOCK TABLE papers');
}

async function letGo(): Promise<void> {
  await holder?.end();
  holder = null;
}

/** Ended sessions take a moment to go; one that waits for the lock that is held would never. */
async function noSessions(): Promise<void> {
  for (;;) {
    const [row] = await db.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'tas-bot alembic' AND datname = current_database()`,
    );
    if (row?.n === 0) return;
  }
}

async function waitsForLock(): Promise<void> {
  for (;;) {
    const [row] = await db.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'tas-bot alembic' AND wait_event_type = 'Lock' AND datname = current_database()`,
    );
    if (row?.n) return;
  }
}

async function intents(): Promise<boolean> {
  const [row] = await db.sql(`SELECT count(*)::int AS n FROM tas_journal.batch WHERE run_id = 'run-a'`);
  return row?.n === 1;
}
