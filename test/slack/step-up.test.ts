import type { Message } from '../../sandbox/slack/slack.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack } from './front-on-slack.ts';

const link = 'https://bot.example.com/step-up/the-secret-of-bob';
let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

/** Bob approves, and the door wants it confirmed. */
async function approved(): Promise<Message> {
  const { slack, door } = setup;
  const run = door.add(sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' } }));
  const card = await slack.waitFor('the card', () => slack.messages('tas-platform')[0]);
  door.nextVote = { kind: 'to-confirm', run, link, expiresAt: '2026-11-20T10:05:00.000Z' };
  await slack.as('bob').click(card, 'Approve');
  return slack.waitFor('the answer', () => slack.as('bob').ephemerals()[0]);
}

describe('an approval that has to be confirmed outside of Slack', () => {
  it('gives its voter alone the link, says that nothing was counted, and leaves the card as it is', async () => {
    const answer = await approved();
    expect(answer.text).toContain('Not counted yet: SANDBOX');
    expect(answer.text).not.toContain(link);
    expect(JSON.stringify(answer.blocks)).toContain(`"url":"${link}"`);
    expect(JSON.stringify(setup.slack.messages('tas-platform'))).not.toContain(link);
    for (const other of ['alice', 'carol', 'erin'] as const) expect(setup.slack.as(other).ephemerals()).toEqual([]);
    expect([...setup.door.runMap.values()][0]).toMatchObject({ status: 'planned', votes: [] });
    expect(setup.door.votesAsked[0]).not.toHaveProperty('confirmation');
  });

  it('hears of the click on the link and has nothing to say to it', async () => {
    const answer = await approved();
    const { status } = await setup.slack.as('bob').click(answer, 'Log in and confirm');
    expect(status).toBe(200);
    await setup.slack.as('bob').command('/tas help');
    await setup.slack.waitFor('what was asked after it', () => setup.slack.as('bob').ephemerals()[1]);
    expect(setup.slack.as('bob').ephemerals()).toHaveLength(2);
    expect(setup.logged).toEqual([]);
  });

  it('is asked for with a command in the same way', async () => {
    await approved();
    const run = [...setup.door.runMap.keys()][0];
    await setup.slack.as('bob').command(`/tas approve ${run}`);
    const card = await setup.slack.waitFor('the ballot', () => setup.slack.as('bob').ephemerals()[1]);
    await setup.slack.as('bob').click(card, 'Approve');
    const answer = await setup.slack.waitFor('the answer', () => setup.slack.as('bob').ephemerals()[2]);
    expect(JSON.stringify(answer.blocks)).toContain(link);
  });
});
