import { formBody } from '../../sandbox/slack/delivery.ts';
import { people } from '../../sandbox/slack/people.ts';
import { signedHeaders } from '../../sandbox/slack/signing.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

describe.each(['http', 'socket'] as const)('over %s', (mode) => {
  beforeEach(async () => {
    setup = await startFrontOnSlack(mode);
  });
  afterEach(async () => {
    await setup.stop();
  });

  it('acknowledges first, even when the door takes ten seconds', async () => {
    const { slack, door } = setup;
    let open: () => void = () => {};
    door.slow = new Promise((resolve) => {
      open = resolve;
    });
    const { status, ms } = await slack.as('alice').command('/tas migrate space-isolation env:sandbox');
    expect(status).toBe(200);
    expect(ms).toBeLessThan(1_000);
    await until(() => door.asked.length === 1);
    expect(slack.as('alice').ephemerals()).toEqual([]);
    open();
    const answer = await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
    expect(answer.text).toContain('Asked for: SANDBOX · space-isolation');
    expect(door.asked).toMatchObject([{ person: { id: people.alice.id, name: 'alice', roles: ['operator'] } }]);
  });

  it('asks for the environment with buttons, and asks again with the one that was clicked', async () => {
    const { slack, door } = setup;
    await slack.as('alice').command('/tas migrate space-isolation reason:“why not”');
    const question = await slack.waitFor('the question', () => slack.as('alice').ephemerals()[0]);
    expect(door.asked).toEqual([]);
    await slack.as('alice').click(question, 'production (production)');
    await slack.waitFor('the request', () => door.asked.length === 1 && slack.as('alice').ephemerals()[1]);
    expect(door.asked).toMatchObject([{ environment: 'production', subject: 'space-isolation', reason: 'why not' }]);
    expect(question.text).toBe('Asked');
  });

  it('refuses what mallory asks, with advice, to mallory alone', async () => {
    const { slack, door } = setup;
    await slack.as('mallory').command('/tas migrate space-isolation env:sandbox');
    const answer = await slack.waitFor('the refusal', () => slack.as('mallory').ephemerals()[0]);
    expect(JSON.stringify(answer.blocks)).toMatch(/mallory may not use this bot.*can add you to/);
    expect(door.asked).toEqual([]);
    expect(slack.messages('tas-platform')).toEqual([]);
  });

  it.each([
    ['/tas migrat space-isolation env:sandbox', /Did you mean `migrate`/],
    ['/tas migrate space-isolaton env:sandbox', /Did you mean `space-isolation`/],
    ['/tas migrate space-isolation env:sandbox now:please', /There is no option `now`/],
    ['/tas rollback run-0000000000', /There is no run `run-0000000000`/],
    ['/tas help', /validate env:&lt;environment&gt;/],
    ['/tas help', /Here\* it is about \*sandbox/],
    ['/tas status env:sandbox', /1 of 2 systems down.*nobody listens at 127\.0\.0\.1:5432/],
  ])('answers %s', async (line, said) => {
    const { slack } = setup;
    await slack.as('alice').command(line);
    const answer = await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
    expect(JSON.stringify(answer.blocks)).toMatch(said);
  });

  it('answers a bug with an id that the log has too, and not with the bug', async () => {
    const { slack, door, logged } = setup;
    door.runs = async () => {
      throw new Error('password=hunter2 in a stack');
    };
    await slack.as('alice').command('/tas runs');
    const answer = await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
    const id = /this id: `([0-9a-f]{8})`/.exec(JSON.stringify(answer.blocks))?.[1] ?? 'none';
    expect(JSON.stringify(answer.blocks)).not.toContain('hunter2');
    expect(logged.some((line) => line.includes(id) && line.includes('in a stack'))).toBe(true);
  });

  it('looks groups up again for each vote, and at most every ten seconds for commands', async () => {
    const { slack, door } = setup;
    const looked = (group: string) =>
      slack.calls.filter(({ method, fields }) => method === 'usergroups.users.list' && fields.usergroup === group)
        .length;
    await slack.as('alice').command('/tas runs');
    await slack.waitFor('an answer', () => slack.as('alice').ephemerals().length === 1);
    await slack.as('alice').command('/tas runs');
    await slack.waitFor('an answer', () => slack.as('alice').ephemerals().length === 2);
    expect(looked('S0APPROVE')).toBe(1);
    const run = door.add(sampleRun());
    const card = await slack.waitFor('the card', () => slack.messages('tas-platform')[0]);
    slack.setMembers('S0APPROVE', [people.dana.id]);
    await slack.as('bob').click(card, 'Approve');
    const no = await slack.waitFor('the answer', () => slack.as('bob').ephemerals()[0]);
    expect(looked('S0APPROVE')).toBe(2);
    expect(door.votesAsked).toMatchObject([{ runId: run.id, person: { name: 'bob', roles: [] } }]);
    expect(setup.outbox.groups.get('S0APPROVE')?.map(({ id }) => id)).toEqual([people.dana.id]);
    expect(no.text).toBeDefined();
  });
});

describe('requests that Slack did not send, or not now', () => {
  beforeEach(async () => {
    setup = await startFrontOnSlack('http');
  });
  afterEach(async () => {
    await setup.stop();
  });

  it.each(['unsigned', 'wrong-signature', 'late'] as const)('get 401 and no work when %s', async (kind) => {
    const { slack, door } = setup;
    expect(await slack.sendForged(kind, 'backup env:sandbox')).toBe(401);
    await slack.as('alice').command('/tas runs');
    await slack.waitFor('a real one is answered', () => slack.as('alice').ephemerals()[0]);
    expect(door.asked).toEqual([]);
  });

  it('get 401 and no work when they are a copy, or dated in the future', async () => {
    const { slack, door, url } = setup;
    const send = async (seconds: number): Promise<number> => {
      const fields = { command: '/tas', text: 'backup env:sandbox', user_id: people.alice.id, user_name: 'alice' };
      const body = formBody('slash_commands', { ...fields, channel_id: 'C0PLATFRM', trigger_id: '1.1' });
      const headers = signedHeaders(slack.signingSecret, body, seconds);
      return (await fetch(url ?? '', { method: 'POST', headers, body })).status;
    };
    const now = Math.floor(Date.now() / 1000);
    expect([await send(now), await send(now), await send(now), await send(now + 3_600)]).toEqual([200, 401, 401, 401]);
    await slack.waitFor('the card of the one backup', () => slack.messages('tas-platform')[0]);
    // Signed anew, yet the same trigger: answered, and not done again.
    expect(await send(now + 1)).toBe(200);
    await slack.as('alice').command('/tas runs');
    await slack.waitFor('a later one is answered', () => slack.as('alice').ephemerals()[0]);
    expect(door.asked).toHaveLength(1);
  });

  it('are not found on other paths, and too large ones are refused', async () => {
    const { url } = setup;
    expect((await fetch((url ?? '').replace('events', 'other'), { method: 'POST', body: 'x' })).status).toBe(404);
    const large = await fetch(url ?? '', { method: 'POST', body: 'x'.repeat(5 * 1024 * 1024) }).catch(() => ({
      status: 413,
    }));
    expect([401, 413]).toContain(large.status);
  });
});
