import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, loadSecrets } from '../../src/config/load-config.ts';
import { Failure } from '../../src/shared/failure.ts';

const whole = `bot: { database: env:TAS_TEST_DATABASE, key: env:TAS_TEST_KEY, backups: /tmp/b }
slack: { mode: http, botToken: env:TAS_TEST_BOT_TOKEN, signingSecret: env:TAS_TEST_SIGNING }
people:
  operators: { users: [UALICE] }
  terminal: [{ user: UALICE, name: alice }]
environments:
  staging:
    production: false
    channel: tas-platform
    systems:
      graph: { type: neo4j, url: 'bolt://neo4j:7687', user: neo4j, password: env:TAS_TEST_GRAPH }
`;
const variables = ['DATABASE', 'KEY', 'BOT_TOKEN', 'SIGNING', 'GRAPH'].map((name) => `TAS_TEST_${name}`);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tas-config-'));
  for (const name of variables) process.env[name] = `value of ${name}`;
});
afterEach(async () => {
  for (const name of variables) delete process.env[name];
  await rm(folder, { recursive: true });
});

async function write(text: string): Promise<string> {
  const path = join(folder, 'tas.yaml');
  await writeFile(path, text);
  return path;
}

async function refusalOf(from: string | RegExp, to: string): Promise<Failure> {
  const text = whole.replace(from, to);
  expect(text).not.toBe(whole);
  const path = await write(text);
  const error = await loadConfig(path).then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  expect(error.code).toBe('invalid-config');
  expect(error.advice).not.toBe('');
  return error;
}

describe('the configuration', () => {
  it('is read with safe defaults', async () => {
    const config = await loadConfig(await write(whole.replace('    production: false\n', '')));
    expect(config.environments.staging).toMatchObject({
      production: true,
      approvals: { required: 1, expiresMinutes: 60 },
      tolerancePercent: 3,
      show: [],
    });
    expect(config.people).toMatchObject({ trustNames: false, approvers: { users: [] } });
    expect(config.bot).toMatchObject({ executor: 'worker-0', logLevel: 'info' });
  });

  it('says so when no file is named, and when the file is not there', async () => {
    const before = process.env.TAS_CONFIG;
    delete process.env.TAS_CONFIG;
    await expect(loadConfig()).rejects.toMatchObject({ code: 'invalid-config' });
    if (before !== undefined) process.env.TAS_CONFIG = before;
    await expect(loadConfig(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('does not exist'),
    });
  });

  it.each([
    ['a password', 'env:TAS_TEST_GRAPH', "'hunter2-secret'", 'environments.staging.systems.graph.password'],
    ['a database URL', 'env:TAS_TEST_DATABASE', "'postgresql://u:hunter2-secret@h/d'", 'bot.database'],
    ['the key', 'env:TAS_TEST_KEY', 'hunter2-secret', 'bot.key'],
    ['a token', 'env:TAS_TEST_BOT_TOKEN', 'hunter2-secret', 'slack.botToken'],
  ])('refuses %s that stands in it, without repeating it', async (_what, from, to, place) => {
    const { message } = await refusalOf(from, to);
    expect(message).toContain(place);
    expect(message).toMatch(/line \d+, column \d+/);
    expect(message).toContain('env:NAME or file:/path');
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['an unknown key', 'mode: http', 'mode: http, colour: red', 'colour'],
    ['an unknown type of system', 'type: neo4j', 'type: mongo', 'type'],
    ['an unknown mode', 'mode: http', 'mode: smoke', 'slack.mode'],
    ['a negative number of votes', 'channel:', 'approvals: { required: -1 }\n    channel:', 'approvals.required'],
    ['a tolerance beyond half', 'channel:', 'tolerancePercent: 51\n    channel:', 'tolerancePercent'],
    ['a shown field without collection', 'channel:', 'show: [email]\n    channel:', 'show.0'],
    [
      'a variable that could carry a statement',
      'channel:',
      "variables: { t: 'x; drop table y' }\n    channel:",
      'variables.t',
    ],
    ['an environment in capitals', 'staging:', 'Staging:', 'environments'],
    ['HTTP mode without a signing secret', ', signingSecret: env:TAS_TEST_SIGNING', '', 'signingSecret'],
    ['Socket Mode without an app token', 'mode: http', 'mode: socket', 'appToken'],
    ['what is not YAML', 'bot: {', 'bot: {{', 'line 2, column 1'],
  ])('refuses %s', async (_what, from, to, text) => {
    expect((await refusalOf(from, to)).message).toContain(text);
  });

  it('refuses to trust names where an environment is production, said or not', async () => {
    const trusting = whole.replace('people:\n', 'people:\n  trustNames: true\n');
    expect((await loadConfig(await write(trusting))).people.trustNames).toBe(true);
    for (const production of ['    production: true\n', '']) {
      await expect(
        loadConfig(await write(trusting.replace('    production: false\n', production))),
      ).rejects.toMatchObject({ code: 'invalid-config', message: expect.stringContaining('staging is a production') });
    }
  });

  it('refuses to let a Keycloak that it manages confirm approvals of what is done to it', async () => {
    const managed = `${whole}      identities:
        { type: keycloak, url: 'https://login.example.com/auth', realm: x, user: x, password: env:TAS_TEST_GRAPH }
stepUp:
  issuer: https://ISSUER/realms/staff
  clientId: tas-bot
  clientSecret: env:TAS_TEST_KEY
  publicUrl: https://tas-bot.example.com
`;
    const elsewhere = await loadConfig(await write(managed.replace('ISSUER', 'staff.example.com')));
    expect(elsewhere.stepUp).toMatchObject({ for: 'one-way', port: 3001 });
    await expect(loadConfig(await write(managed.replace('ISSUER', 'login.example.com')))).rejects.toMatchObject({
      code: 'invalid-config',
      message: 'stepUp.issuer is on the server that staging/identities manages.',
    });
  });
});

describe('the secrets of a configuration', () => {
  it('are read by reference, from variables and files, without white space around', async () => {
    const file = join(folder, 'password');
    await writeFile(file, '  from a file\n');
    const config = await loadConfig(await write(whole.replace('env:TAS_TEST_GRAPH', `'file:${file}'`)));
    const reveal = await loadSecrets(config);
    expect(reveal(config.bot.database).reveal()).toBe('value of TAS_TEST_DATABASE');
    expect(reveal(`file:${file}`).reveal()).toBe('from a file');
    expect(`${reveal(config.bot.database)}`).toBe('[secret]');
  });

  it.each([
    ['is not set', undefined],
    ['is empty', ''],
    ['is blank', '  \n'],
  ])('are refused with the variable that %s', async (_what, value) => {
    if (value === undefined) delete process.env.TAS_TEST_GRAPH;
    else process.env.TAS_TEST_GRAPH = value;
    const config = await loadConfig(await write(whole));
    await expect(loadSecrets(config)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('the environment variable TAS_TEST_GRAPH'),
    });
  });

  it('are refused with the file that is missing', async () => {
    const config = await loadConfig(await write(whole.replace('env:TAS_TEST_GRAPH', 'file:/nowhere/at/all')));
    await expect(loadSecrets(config)).rejects.toMatchObject({
      message: expect.stringContaining('the file /nowhere/at/all'),
    });
  });

  it('are given out by the references of the configuration only', async () => {
    const reveal = await loadSecrets(await loadConfig(await write(whole)));
    expect(() => reveal('env:PATH')).toThrow('does not name');
  });
});
