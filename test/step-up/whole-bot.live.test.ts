import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import { stringify } from 'yaml';
import { type BotProcess, startBot } from '../../sandbox/bot-process.ts';
import { chooseFreePort } from '../../sandbox/servers/ports.ts';
import { groups, type PersonName, people } from '../../sandbox/slack/people.ts';
import { type SimulatedSlack, startSlack } from '../../sandbox/slack/slack.ts';
import { samplePlan } from '../sample-run.ts';
import { type BotDatabase, createBotDatabase, newRun, until } from '../storage/fresh-bot-database.ts';
import { openBrowser, type Shown } from './browser.ts';
import { clientSecret, type StandInProvider, startStandInProvider } from './stand-in-provider.ts';

jest.setTimeout(120_000);

const token = 'of dana at the terminal';
let folder: string;
let slack: SimulatedSlack;
let provider: StandInProvider;
let database: BotDatabase;
let bot: BotProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tas-step-up-'));
  database = await createBotDatabase();
  provider = await startStandInProvider();
  slack = await startSlack();
  const port = await chooseFreePort([]);
  slack.connectApp(`http://127.0.0.1:${port}/slack/events`);
  bot = await startBot({ configPath: await writeConfig(port), logPath: join(folder, 'bot.log'), port });
});
afterAll(async () => {
  await bot?.kill('SIGTERM');
  await slack?.stop();
  await provider?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

async function writeConfig(port: number): Promise<string> {
  const keep = async (name: string, value: string): Promise<string> => {
    await writeFile(join(folder, name), value, { mode: 0o600 });
    return `file:${join(folder, name)}`;
  };
  const pages = await chooseFreePort([port]);
  const config = {
    bot: {
      database: await keep('database', database.url.reveal()),
      key: await keep('key', randomBytes(32).toString('base64')),
      backups: join(folder, 'backups'),
      packs: [],
      logLevel: 'info',
    },
    slack: {
      mode: 'http',
      port,
      apiUrl: slack.apiUrl,
      botToken: await keep('botToken', slack.botToken),
      signingSecret: await keep('signingSecret', slack.signingSecret),
    },
    people: {
      operators: { users: [people.alice.id] },
      approvers: { group: groups.approvers.id },
      terminal: [{ user: people.dana.id, name: 'dana', tokenSha256: createHash('sha256').update(token).digest('hex') }],
    },
    environments: { sandbox: { production: false, channel: 'tas-platform', systems: {} } },
    stepUp: {
      issuer: provider.issuer,
      clientId: 'tas-bot',
      clientSecret: await keep('clientSecret', clientSecret),
      publicUrl: `http://127.0.0.1:${pages}`,
      port: pages,
    },
  };
  await writeFile(join(folder, 'tas.yaml'), stringify(config), { mode: 0o600 });
  return join(folder, 'tas.yaml');
}

/** A run that waits for more votes than a test gives, so that nobody carries it out. */
async function planned(undoClass: 'one-way' | 'reversible' = 'one-way'): Promise<string> {
  const requester = { id: people.alice.id, name: 'alice' };
  const run = newRun({ plan: samplePlan({ undoClass }), votesNeeded: 3, requester });
  await database.records.create(run);
  return run.id;
}

const votersOf = async (runId: string) => (await database.records.find(runId))?.votes.map(({ voter }) => voter.id);
const seen = new Set<unknown>();

/** What the bot has answered since the last time, to this person alone. */
async function answerTo(name: PersonName) {
  const answer = await slack.waitFor('the answer', () =>
    slack
      .as(name)
      .ephemerals()
      .find((one) => !seen.has(one)),
  );
  seen.add(answer);
  return answer;
}

const cardOf = (runId: string) =>
  slack.waitFor('the card', () =>
    slack.messages('tas-platform').find((message) => JSON.stringify(message.blocks).includes(runId)),
  );

async function approveInSlack(name: PersonName, runId: string) {
  const card = await cardOf(runId);
  await slack.as(name).click(card, 'Approve');
  return answerTo(name);
}

function linkIn(text: string): string {
  const link = /http:\/\/127\.0\.0\.1:\d+\/step-up\/[\w-]{43}/.exec(text)?.[0];
  if (link === undefined) throw new Error(`there is no link in ${text}`);
  return link;
}

async function confirmAs(name: PersonName, link: string): Promise<Shown> {
  const browser = openBrowser();
  const { next, html } = await browser.press(link);
  if (next === null) throw new Error(html);
  return browser.open(provider.logIn(next, { slack_user_id: people[name].id }));
}

function approveAtTerminal(runId: string): Promise<{ exit: unknown; out: string }> {
  const env = { ...process.env, TAS_CONFIG: join(folder, 'tas.yaml'), TAS_TOKEN: token };
  const values = ['--no-warnings', resolve(import.meta.dirname, '../../src/cli.ts'), 'approve', runId];
  return new Promise((done) => {
    execFile(process.execPath, values, { env }, (error, out) => done({ exit: error === null ? 0 : error.code, out }));
  });
}

describe('the bot with a provider that confirms approvals', () => {
  it('counts a click in Slack once its voter has logged in, and shows it on the card', async () => {
    const runId = await planned();
    const answer = await approveInSlack('bob', runId);
    expect(answer.text).toContain('Not counted yet');
    expect(await votersOf(runId)).toEqual([]);
    const shown = await confirmAs('bob', linkIn(JSON.stringify(answer.blocks)));
    expect(shown.html).toContain('Your approval counts');
    expect(await votersOf(runId)).toEqual([people.bob.id]);
    await slack.waitFor('the card to show the vote', () =>
      JSON.stringify(slack.messages('tas-platform')).includes(`approved by <@${people.bob.id}>`),
    );
  });

  it('says on the card whether a login comes after the click', async () => {
    const [oneWay, reversible] = [await planned(), await planned('reversible')];
    const says = async (runId: string) => JSON.stringify((await cardOf(runId)).blocks).includes('has logged in');
    expect([await says(oneWay), await says(reversible)]).toEqual([true, false]);
  });

  it('counts at once what can be undone', async () => {
    const runId = await planned('reversible');
    expect((await approveInSlack('bob', runId)).text).toContain('You approved');
    expect(await votersOf(runId)).toEqual([people.bob.id]);
  });

  it('counts nothing of somebody who has left the approvers between click and login', async () => {
    const runId = await planned();
    const link = linkIn(JSON.stringify((await approveInSlack('dana', runId)).blocks));
    slack.setMembers(groups.approvers.id, [people.bob.id]);
    const shown = await confirmAs('dana', link);
    expect(shown.status).toBe(409);
    expect(shown.html).toContain('is not an approver');
    expect(await votersOf(runId)).toEqual([]);
    slack.setMembers(groups.approvers.id, [people.bob.id, people.dana.id]);
  });

  it('tells the voter in Slack when somebody else has logged in', async () => {
    const runId = await planned();
    const link = linkIn(JSON.stringify((await approveInSlack('dana', runId)).blocks));
    expect((await confirmAs('mallory', link)).status).toBe(403);
    await slack.waitFor(
      'the warning',
      () =>
        slack
          .as('dana')
          .notifications()
          .some(({ text }) => text.includes('Somebody other than you logged in')) || null,
    );
    expect(await votersOf(runId)).toEqual([]);
  });

  it('asks the same of the terminal, and takes the answer while Slack is down', async () => {
    const runId = await planned();
    await approveInSlack('dana', runId);
    slack.goDown();
    const { exit, out } = await approveAtTerminal(runId);
    expect(exit).toBe(4);
    expect(out).toContain('Not counted yet');
    const shown = await confirmAs('dana', linkIn(out));
    expect(shown.html).toContain('Your approval counts');
    expect(await until('the vote', async () => (await votersOf(runId))?.[0])).toBe(people.dana.id);
    slack.comeBack();
  });
});
