import { formBody } from '../../sandbox/slack/delivery.ts';
import { signedHeaders } from '../../sandbox/slack/signing.ts';
import { createSigningSecrets } from '../../src/slack/signing-secrets.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

async function send(secret: string, text: string): Promise<number> {
  const fields = { command: '/tas', text, user_id: 'U0ALICE00', user_name: 'alice', channel_id: 'C0PLATFRM' };
  const body = new URLSearchParams({ ...fields, trigger_id: `t-${text}`, response_url: `${setup.slack.apiUrl}none` });
  const headers = signedHeaders(secret, body.toString(), Math.floor(Date.now() / 1000));
  return (await fetch(setup.url ?? '', { method: 'POST', headers: { ...headers }, body: body.toString() })).status;
}

describe('a bot token that was rotated', () => {
  it('is read again when Slack no longer knows the old one, and nothing is lost', async () => {
    const { slack, door } = setup;
    slack.rotate('botToken');
    door.add(sampleRun());
    await until(() => slack.messages('tas-platform').length === 2);
    const refused = slack.calls.filter(({ answer }) => answer.error === 'invalid_auth').length;
    expect(refused).toBeGreaterThanOrEqual(1);
    door.add(sampleRun({ id: 'run-another000' }));
    await until(() => slack.messages('tas-platform').length === 4);
    expect(slack.calls.filter(({ answer }) => answer.error === 'invalid_auth')).toHaveLength(refused);
  });
});

describe('a signing secret that was rotated', () => {
  it('is read again at the first request that it signs; those of the old one on their way still count', async () => {
    const { slack } = setup;
    const old = slack.signingSecret;
    slack.rotate('signingSecret');
    expect((await slack.as('alice').command('/tas help')).status).toBe(200);
    expect(await send(slack.signingSecret, 'help new')).toBe(200);
    expect(await send(old, 'help old')).toBe(200);
  });

  it('opens the door to nobody else: unknown secrets, copies and altered bodies get 401', async () => {
    const { slack } = setup;
    slack.rotate('signingSecret');
    expect(await send('guessed', 'help')).toBe(401);
    expect(await send('', 'help')).toBe(401);
    for (const kind of ['unsigned', 'wrong-signature', 'late'] as const) {
      expect(await slack.sendForged(kind, 'backup env:sandbox')).toBe(401);
    }
    expect(setup.door.asked).toEqual([]);
    const signed = formBody('slash_commands', { command: '/tas', text: 'help' });
    const headers = { ...signedHeaders(slack.signingSecret, signed, Math.floor(Date.now() / 1000)) };
    const altered = await fetch(setup.url ?? '', { method: 'POST', headers, body: signed.replace('help', 'kelp') });
    expect(altered.status).toBe(401);
  });
});

describe('signing secrets', () => {
  const start = Date.parse('2026-11-20T10:00:00Z');

  it('are read again at most every five seconds, whoever knocks', async () => {
    let now = start;
    let reads = 0;
    const read = async () => {
      reads += 1;
      return 'first';
    };
    const secrets = createSigningSecrets('first', read, { now: () => new Date(now) });
    for (let knock = 0; knock < 100; knock += 1) {
      expect(await secrets.lookAgain()).toBe(false);
      now += 100;
    }
    expect(reads).toBe(2);
  });

  it('retire after a quarter of an hour', async () => {
    let now = start;
    const secrets = createSigningSecrets('first', async () => 'second', { now: () => new Date(now) });
    expect(await secrets.lookAgain()).toBe(true);
    expect(secrets.accepted()).toEqual(['second', 'first']);
    now += 15 * 60_000;
    expect(secrets.accepted()).toEqual(['second']);
  });

  it('stay what they were when the new one cannot be read', async () => {
    const away = async () => {
      throw new Error('no such file');
    };
    const secrets = createSigningSecrets('first', away, { now: () => new Date(start) });
    expect(await secrets.lookAgain()).toBe(false);
    expect(secrets.accepted()).toEqual(['first']);
  });
});
