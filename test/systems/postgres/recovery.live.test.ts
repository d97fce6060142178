import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { psqlCommand, sqlText } from '../../../src/shared/shell-word.ts';
import { createFreshDatabase, type FreshDatabase } from './fresh-database.ts';
import { contextOf, kindOf, perform } from './step-life.ts';

jest.setTimeout(60_000);

const execute = promisify(execFile);
let db: FreshDatabase;

beforeAll(async () => {
  db = await createFreshDatabase();
  await db.sql(
    'CREATE TABLE files (id int PRIMARY KEY, space text); INSERT INTO files SELECT n FROM generate_series(1, 9) n',
  );
});
afterAll(() => db.drop());

/** What psql answers, as a person has it from the runbook. */
async function typed(command: string): Promise<string> {
  const env = { ...process.env, PGPASSWORD: decodeURIComponent(db.url.password), PAGER: '' };
  return (await execute('bash', ['-c', command], { env })).stdout;
}

it('shows the fence, open batches and the journal of exactly this run by psql', async () => {
  const input = { table: 'files', key: 'id', where: 'space IS NULL', columns: { space: "'s' || id" } };
  await db.system.advanceFence?.({ environment: 'sandbox', token: 1 });
  await perform(kindOf(db.system, 'postgres.backfill-column'), input, contextOf('run-a'));
  const lines =
    db.system.recovery?.({ environment: 'sandbox', runId: 'run-a', runIds: ['run-a', "b'; --"], steps: [] }) ?? [];
  const answers = new Map<string, string>();
  for (const { what, command } of lines) answers.set(what, await typed(command ?? 'false'));
  const [fence, open, journal] = [...answers.values()];
  expect(fence).toMatch(/sandbox +\| +\d+/);
  expect(open).toContain('xact_start');
  expect(journal).toMatch(/run-a +\| \S+ +\| +\d+ \| +9\n/);
  expect(journal).toContain('(1 row)');
});

it('takes hostile names for names', async () => {
  const name = "x'; DROP TABLE files; --\n$(id)";
  const { hostname: host, port, username: user } = db.url;
  const place = { host, port: Number(port), user, database: db.name };
  expect(await typed(psqlCommand(place, `SELECT length(${sqlText(name)}) AS n`))).toMatch(
    new RegExp(`\\b${name.length}\\b`),
  );
  expect(await db.sql('SELECT count(*)::int AS n FROM files')).toEqual([{ n: 9 }]);
});
