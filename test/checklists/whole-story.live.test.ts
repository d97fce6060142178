import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import { stringify } from 'yaml';
import { type BotProcess, startBot } from '../../sandbox/bot-process.ts';
import { chooseFreePort } from '../../sandbox/servers/ports.ts';
import { people } from '../../sandbox/slack/people.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { type Message, type SimulatedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { liveEndpoints } from '../live-stores.ts';
import { createEmptyDatabase, type EmptyDatabase } from '../storage/fresh-bot-database.ts';
import { createFreshDatabase, type FreshDatabase } from '../systems/postgres/fresh-database.ts';

jest.setTimeout(180_000);

const patience = 60_000;
const migration = {
  id: 'fill-notes',
  title: 'Fill the notes',
  description: 'Fills what is missing.',
  version: { from: '1.0', to: '1.1' },
  contact: '#tas-platform',
  phases: {
    data: [
      {
        id: 'fill',
        title: 'Fill the notes',
        system: 'relational',
        use: 'postgres.backfill-column',
        with: { table: 'things', key: 'id', where: 'note IS NULL', columns: { note: "'filled'" } },
      },
    ],
  },
};

let folder: string;
let slack: SimulatedSlack;
let memory: EmptyDatabase;
let platform: FreshDatabase;
let bot: BotProcess;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tas-checklist-'));
  [slack, memory, platform, port] = await Promise.all([
    startSlack(),
    createEmptyDatabase(),
    createFreshDatabase(),
    chooseFreePort([]),
  ]);
  await platform.sql('CREATE TABLE things (id integer PRIMARY KEY, note text)');
  await platform.sql('INSERT INTO things SELECT generate_series(1, 20)');
  await writePack();
  await writeConfig();
  slack.connectApp(`http://127.0.0.1:${port}/slack/events`);
  bot = await start();
});
afterAll(async () => {
  await bot.kill('SIGTERM');
  await slack.stop();
  await Promise.all([memory.drop(), platform.drop()]);
  await rm(folder, { recursive: true, force: true });
});

const start = (): Promise<BotProcess> =>
  startBot({ configPath: join(folder, 'tas.yaml'), logPath: join(folder, 'bot.log'), port });

async function writePack(): Promise<void> {
  const pack = join(folder, 'pack');
  await mkdir(join(pack, 'migrations'), { recursive: true });
  await writeFile(join(pack, 'migrations/fill-notes.yaml'), stringify(migration));
  await cp(resolve(import.meta.dirname, '../../packs/tas/checklist.yaml'), join(pack, 'checklist.yaml'));
}

async function writeConfig(): Promise<void> {
  const secret = async (name: string, value: string): Promise<string> => {
    await writeFile(join(folder, name), value, { mode: 0o600 });
    return `file:${join(folder, name)}`;
  };
  const { hostname, port: database, pathname, username, password } = platform.url;
  const config = {
    bot: {
      database: await secret('database', memory.url.reveal()),
      key: await secret('key', Buffer.alloc(32, 5).toString('base64')),
      backups: join(folder, 'backups'),
      packs: [join(folder, 'pack')],
      logLevel: 'warn',
    },
    slack: {
      mode: 'http',
      botToken: await secret('bot-token', slack.botToken),
      signingSecret: await secret('signing-secret', slack.signingSecret),
      port,
      apiUrl: slack.apiUrl,
    },
    people: {
      viewers: { users: [people.carol.id] },
      operators: { users: [people.alice.id, people.erin.id] },
      approvers: { users: [people.bob.id, people.dana.id] },
    },
    environments: {
      sandbox: {
        production: false,
        channel: 'tas-platform',
        checklist: { gates: { 'users-told': 'start', standby: 'end' } },
        systems: {
          relational: {
            type: 'postgres',
            host: hostname,
            port: Number(database),
            database: pathname.slice(1),
            user: decodeURIComponent(username),
            password: await secret('password', decodeURIComponent(password)),
            ...(liveEndpoints().postgres.toolsFolder === null ? {} : { tools: liveEndpoints().postgres.toolsFolder }),
          },
        },
      },
    },
  };
  await writeFile(join(folder, 'tas.yaml'), stringify(config), { mode: 0o600 });
}

async function said(what: string, says: RegExp): Promise<Message> {
  const answers = (): string => slack.as('alice').ephemerals().map(renderMessage).join('\n');
  const found = slack.waitFor(
    what,
    () =>
      slack.messages('tas-platform').find((message) => says.test(message.text) || says.test(renderMessage(message))),
    patience,
  );
  return found.catch(async (error: Error) => {
    const log = await readFile(join(folder, 'bot.log'), 'utf8');
    throw new Error(`${error.message}\n${answers()}\n${log.slice(-2_000)}`);
  });
}

const filled = async (): Promise<unknown> =>
  (await platform.sql("SELECT count(*)::int AS n FROM things WHERE note = 'filled'"))[0]?.n;

describe('a migration with a checklist, in the bot as it runs', () => {
  it('waits for people at two gates, over a death of the bot, and ticks what the bot saw', async () => {
    await slack.as('alice').command('/tas migrate fill-notes env:sandbox');
    const card = await said('the card', /^Approval wanted/);
    const list = await said('the checklist', /^Checklist · SANDBOX/);
    expect(list.threadTs).toBe(card.ts);
    await slack.as('bob').click(card, 'Approve');
    await said('the pause', /Paused: .*\n.*its checklist waits for “Users know when it begins/);
    expect(await filled()).toBe(0);

    await bot.kill('SIGKILL');
    bot = await start();
    await slack.as('carol').select(list, 'tas-boxes-0', ['Users know when it begins and how long it takes']);
    await slack.waitFor('the refusal', () => slack.as('carol').ephemerals()[0], patience);
    expect(await filled()).toBe(0);
    await slack.as('erin').select(list, 'tas-boxes-0', ['Users know when it begins and how long it takes']);
    await said('the second pause', /its checklist waits for “Somebody who knows the platform stands by”/);
    expect(await filled()).toBe(20);
    const shows = (what: string): Promise<boolean> =>
      slack.waitFor(what, () => renderMessage(list).replaceAll('*', '').includes(what), patience);
    await shows('✓ During · 2 of 2');

    await slack.as('dana').command('/tas checklist tick standby env:sandbox');
    await said('the end', /^✓ Done: SANDBOX · fill-notes/m);
    await shows('✓ Every store is backed up');
    await shows('☐ A backup was restored elsewhere and checked');
    await shows('∅ After · not part of this run');
    const looks = slack.messages('tas-platform').filter(({ text }) => text.startsWith('Checklist'));
    expect(looks).toHaveLength(1);
  });

  it('with a broken file is refused with its place, and nothing is stored', async () => {
    const path = join(folder, 'pack/checklist.yaml');
    await writeFile(path, 'checklist:\n  - { id: told, part: before, text: Told, evidence: logs, gates: start }\n');
    const shown = slack.as('alice').ephemerals().length;
    const cards = slack.messages('tas-platform').length;
    await slack.as('alice').command('/tas migrate fill-notes env:sandbox');
    const answer = await slack.waitFor('the refusal', () => slack.as('alice').ephemerals()[shown], patience);
    expect(renderMessage(answer)).toMatch(/checklist\.yaml, line 2, column \d+: .*write gates: end/);
    expect(slack.messages('tas-platform')).toHaveLength(cards);
  });
});
