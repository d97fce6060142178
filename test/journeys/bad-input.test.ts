import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { startBotSession } from '../../sandbox/bot-session.ts';
import { answersTo } from '../../sandbox/demo/answers.ts';
import type { PersonName } from '../../sandbox/slack/people.ts';
import { renderMessage } from '../../sandbox/slack/render.ts';
import type { SimulatedSlack } from '../../sandbox/slack/slack.ts';
import { type Journey, openJourney } from './open-journey.ts';

const cli = resolve(import.meta.dirname, '../../src/cli.ts');

/** Says something and answers what this person alone is shown. */
async function ask(slack: SimulatedSlack, who: PersonName, words: string): Promise<string> {
  const shown = answersTo(slack, who).length;
  expect((await slack.as(who).command(words)).status).toBe(200);
  const answer = await slack.waitFor(`an answer to ${words}`, () => answersTo(slack, who)[shown], 60_000);
  return renderMessage(answer);
}

/** Runs that were begun, validations left out: those change nothing. */
async function countRuns({ botPool }: Journey): Promise<number> {
  return (await botPool.query(`select from tas.run where action <> 'validate'`)).rowCount ?? 0;
}

/** Runs `tas` as a process; answers its exit status and standard output. */
function tas(configPath: string, words: readonly string[]): Promise<{ status: number; out: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      ['--no-warnings', cli, ...words],
      { env: { ...process.env, TAS_CONFIG: configPath } },
      (error, out) => done({ status: error === null ? 0 : Number(error.code), out }),
    );
  });
}

describe('bad input', () => {
  let journey: Journey;

  beforeAll(async () => {
    journey = await openJourney('messy');
  }, 300_000);

  afterAll(async () => {
    await journey.close();
  }, 60_000);

  it.each([
    ['/tas migrat space-isolation env:sandbox', 'unknown-command', /migrate/],
    ['/tas migrate space-isolaton env:sandbox', 'unknown-migration', /space-isolation/],
    ['/tas validate env:sandbx', 'unknown-environment', /sandbox/],
    ['/tas rollback run-0000000000', 'unknown-run', /Nothing was done/],
    ['/tas restore bak-20000101-000000-abcd env:sandbox', 'unknown-backup', /Nothing was done/],
  ])('%s is refused as %s, with what to do', async (words, code, advice) => {
    const answer = await ask(journey.session.slack, 'alice', words);
    expect(answer).toContain(code);
    expect(answer).toMatch(advice);
  });

  it('without env: the bot asks, and nothing runs', async () => {
    expect(await ask(journey.session.slack, 'alice', '/tas backup')).toMatch(/sandbox/);
    expect(await countRuns(journey)).toBe(0);
  });

  it('data with shared and foreign tenant ids refuses the migration before anything changes, with the findings', async () => {
    const before = await journey.stores.picture();
    const answer = await ask(journey.session.slack, 'alice', '/tas migrate space-isolation env:sandbox');
    expect(answer).toContain('precondition-failed');
    expect(answer).toMatch(/✗ No tenant is shared by several users/);
    expect(answer).toMatch(/✗ Tenant IDs that are set follow tenant_<timestamp>/);
    expect(await countRuns(journey)).toBe(0);
    expect(await journey.stores.picture()).toEqual(before);
  });

  it.each(['unsigned', 'wrong-signature', 'late'] as const)(
    'a request that is %s gets 401 and starts nothing',
    async (kind) => {
      expect(await journey.session.slack.sendForged(kind, 'backup env:sandbox')).toBe(401);
      expect(await countRuns(journey)).toBe(0);
    },
  );

  it('the terminal has the same gates and tells by its exit status how it went', async () => {
    const { configPath } = journey.session;
    expect(await tas(configPath, ['runs', '--as', 'carol', '--json'])).toMatchObject({ status: 0 });
    expect((await tas(configPath, ['frobnicate', '--as', 'alice'])).status).toBe(2);
    const refused = await tas(configPath, ['backup', 'env:sandbox', '--as', 'mallory', '--json']);
    expect(refused.status).toBe(3);
    expect(JSON.parse(refused.out)).toMatchObject({ refusal: { code: 'not-allowed' } });
    const findings = await tas(configPath, ['validate', 'env:sandbox', '--as', 'carol', '--wait', '--json']);
    expect(findings.status).toBe(1);
    const report = JSON.parse(findings.out) as { findings: { check: string; status: string }[] };
    expect(report.findings.filter(({ status }) => status === 'failed').map(({ check }) => check)).toContain(
      'unique-tenant-ids',
    );
  }, 120_000);
});

describe('a store that cannot be used', () => {
  it('is named with its place, and nothing else is touched', async () => {
    const journey = await openJourney(20);
    const { endpoints } = journey;
    const away = { ...endpoints, neo4j: { ...endpoints.neo4j, url: 'bolt://127.0.0.1:9' } };
    const locked = { ...endpoints, postgres: { ...endpoints.postgres, password: 'not-the-password' } };
    try {
      for (const [name, broken, code, says] of [
        ['away', away, 'unreachable', /graph/],
        ['locked', locked, 'wrong-password', /relational/],
      ] as const) {
        const session = await startBotSession(join(journey.folder, name), broken);
        const answer = await ask(session.slack, 'alice', '/tas migrate space-isolation env:sandbox').finally(() =>
          session.stop(),
        );
        expect(answer).toContain(code);
        expect(answer).toMatch(says);
        expect(answer).not.toContain('not-the-password');
      }
    } finally {
      await journey.close();
    }
  }, 300_000);
});
