import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { answer } from '../../commands/answer.ts';
import { parseWords } from '../../commands/parse-words.ts';
import { type App, openApp } from '../../src/app.ts';
import { configSchema } from '../../src/config/config.ts';
import { replyText } from '../../src/terminal/reply-text.ts';
import { alice, carol } from '../fake-door.ts';
import { type BotDatabase, createBotDatabase, newRun } from '../storage/fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let folder: string;
let replicas: App[];

const variables = { WINDOW_DATABASE: '', WINDOW_KEY: randomBytes(32).toString('base64'), WINDOW_OTHER: 'x' };

/** The whole bot as two processes have it, without Slack. */
beforeAll(async () => {
  bot = await createBotDatabase();
  folder = await mkdtemp(join(tmpdir(), 'tas-windows-'));
  Object.assign(process.env, variables, { WINDOW_DATABASE: bot.url.reveal() });
  const config = configSchema.parse({
    bot: { database: 'env:WINDOW_DATABASE', key: 'env:WINDOW_KEY', backups: folder, packs: [], logLevel: 'silent' },
    slack: { mode: 'http', botToken: 'env:WINDOW_OTHER', signingSecret: 'env:WINDOW_OTHER' },
    people: {},
    environments: { sandbox: { production: false, channel: 'tas-platform', systems: {} } },
    maintenance: {
      sandbox: { channels: ['users'], zone: 'Europe/Berlin', words: { ended: 'Back again: {environment}' } },
    },
    oncall: { contacts: [{ name: 'Dora', role: 'database admin', user: 'UDORA', phone: '+49 30 1' }] },
  });
  replicas = [await openApp(config), await openApp(config)];
});
afterAll(async () => {
  for (const app of replicas) await app.close();
  await bot.drop();
  await rm(folder, { recursive: true, force: true });
  for (const name of Object.keys(variables)) delete process.env[name];
});

async function ask(line: string, person = alice): Promise<string> {
  const [app] = replicas as [App];
  return replyText(await answer(parseWords(line), { ...app, person, show: null }), new Date());
}
const tick = () => Promise.all(replicas.map((app) => app.maintenance.tick()));
const told = async () =>
  (await bot.sql('select once, content from tas.notice order by id')).map(({ once, content }) => ({
    once: String(once),
    content: content as { [field: string]: unknown },
  }));

it('a window goes from its words to the users’ channel, once with two replicas', async () => {
  expect(await ask('maintenance start env:sandbox for:30m reason:"the disk is full"')).toMatch(
    /active.*\n.*Europe\/Berlin/,
  );
  await tick();
  await tick();
  expect(await ask('maintenance list', carol)).toMatch(/active.*the disk is full/);
  expect(await ask('maintenance end env:sandbox')).toMatch(/over/);
  await tick();
  await tick();
  expect((await told()).map(({ once }) => once.replace(/win-\w+/, 'win'))).toEqual([
    'window:win:started:users',
    'window:win:ended:users',
  ]);
  expect((await told())[1]?.content).toMatchObject({ kind: 'maintenance', words: 'Back again: {environment}' });
});

it('a run that stops calls the contacts, and they are shown with phones to operators alone', async () => {
  const [first] = replicas as [App];
  await Promise.all(replicas.map((app) => app.onCall.tick()));
  const run = newRun();
  await bot.records.create(run);
  await bot.sql(`update tas.run set status = 'running' where id = $1`, [run.id]);
  const failure = { code: 'step-failed', message: 'alice@example.org', advice: 'x', retryable: true } as const;
  await bot.records.move(run.id, 'parked', { type: 'failed', text: 'alice@example.org' }, { failure });
  await Promise.all(replicas.map((app) => app.onCall.tick()));
  await first.onCall.tick();
  const pages = (await told()).filter(({ once }) => once.startsWith('page:'));
  expect(pages.map(({ once }) => once.split(':').at(-1)).sort()).toEqual(['UDORA', 'tas-platform']);
  expect(pages[0]?.content).toMatchObject({ kind: 'page', state: 'raised', severity: 'error', runId: run.id });
  expect(JSON.stringify(pages)).not.toMatch(/alice@example/);
  expect(await ask('oncall env:sandbox')).toMatch(/Dora.*\+49 30 1[\s\S]*migrate space-isolation stopped/);
  expect(await ask('oncall', carol)).not.toMatch(/\+49/);
  await bot.records.move(run.id, 'closed', { type: 'closed', text: null });
  await first.onCall.tick();
  expect(await ask('oncall')).toMatch(/Nobody has been called/);
  expect((await told()).at(-1)?.content).toMatchObject({ kind: 'page', state: 'resolved' });
});
