import type { NewNotice } from '../../src/notices/notice.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

const receipt = (runId: string, user: string): NewNotice => ({
  topic: `vote:${runId}:${user}`,
  to: { user },
  anew: true,
  once: `receipt:${runId}:digest:${user}`,
  content: {
    kind: 'vote-receipt',
    runId,
    choice: 'approve',
    environment: 'production',
    about: 'migrate <!channel>',
    destroys: 19,
    oneWay: true,
    digest: 'abcdef0123456789',
    at: '2026-11-20T10:05:00.000Z',
  },
});

it('tells the voter alone what was voted on, and disputes it by one click and a dialog', async () => {
  const run = setup.door.add(sampleRun({}));
  await setup.notices.add([receipt(run.id, 'U0BOB0000')]);
  const bob = setup.slack.as('bob');
  await until(() => bob.sees(bob.id).length > 0);
  const [message] = bob.sees(bob.id);
  if (message === undefined) throw new Error('no receipt');
  expect(JSON.stringify(message.blocks)).toMatch(/You approved.*PRODUCTION.*destroys 19.*cannot be undone/);
  expect(message.text).not.toContain('<!channel>');
  expect(setup.slack.as('carol').sees(bob.id)).not.toContainEqual(message);
  const { confirmed } = await bob.click(message, 'That wasn\u2019t me');
  expect(confirmed?.text).toMatch(/brought to a stand/);
  await until(() => setup.door.controlsAsked.length > 0);
  expect(setup.door.controlsAsked).toMatchObject([{ runId: run.id, what: 'dispute', person: { id: 'U0BOB0000' } }]);
});

it('posts in the channel, anew, that a vote is disputed', async () => {
  const run = setup.door.add(sampleRun({}));
  await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
  setup.door.event(run.id, 'disputed', 'bob says that the vote in their name was not theirs: the run is withdrawn');
  const post = await setup.slack.waitFor('the post', () =>
    setup.slack.messages('tas-platform').find(({ text }) => text.startsWith('A vote is disputed')),
  );
  expect(JSON.stringify(post.blocks)).toContain('bob says that the vote in their name was not theirs');
});

it('leads from each message about a run to the run’s own card, and without it when Slack does not say where that is', async () => {
  const { door, notices, slack } = setup;
  const run = door.add(sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' } }));
  const card = await slack.waitFor('the card', () => slack.messages('tas-platform')[0]);
  const place = `https://tas-sandbox.slack.com/archives/${card.channel}/p${card.ts.replace('.', '')}|${run.id}>`;
  const failure = { code: 'unreachable', message: 'graph is down.', advice: 'Retry.', retryable: true } as const;
  door.change(run.id, { status: 'running', startedAt: run.requestedAt }, 'started', null);
  door.change(run.id, { status: 'paused' }, 'paused', 'bob asked for it');
  door.change(run.id, { status: 'parked', failure }, 'failed', 'graph is down.');
  door.event(run.id, 'lost', 'nobody carries it out');
  door.event(run.id, 'disputed', 'bob says that it was not theirs');
  door.change(run.id, { status: 'done', failure: null, endedAt: run.requestedAt }, 'done', null);
  await notices.add([
    receipt(run.id, 'U0BOB0000'),
    { ...receipt(run.id, 'U0BOB0000'), once: 'line', content: { kind: 'line', text: 'A line.', runId: run.id } },
    { ...receipt('run-unknown00', 'U0BOB0000'), once: 'unknown' },
  ]);
  const bob = slack.as('bob');
  await until(() => bob.sees(bob.id).length === 3);
  const posts = () => slack.messages('tas-platform').filter(({ ts, threadTs }) => ts !== card.ts && threadTs === null);
  await slack.waitFor('the end', () => posts().find(({ text }) => text.startsWith('Done')));
  expect(posts().map(({ text }) => text.split(':')[0])).toEqual(
    expect.arrayContaining(['Paused', 'Stopped', 'Not heard of', 'A vote is disputed', 'Done']),
  );
  for (const post of posts()) expect(JSON.stringify(post.blocks)).toContain(place);
  const [first, second, third] = bob.sees(bob.id).map(({ blocks }) => JSON.stringify(blocks));
  expect([first?.includes(place), second?.includes(place), third?.includes('`run-unknown00`')]).toEqual([
    true,
    true,
    true,
  ]);
});

it('reminds those who may vote, in the thread of the run', async () => {
  const run = setup.door.add(sampleRun({}));
  const card = await setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
  const content = {
    kind: 'vote-wanted',
    runId: run.id,
    environment: 'sandbox',
    about: 'migrate space-isolation',
    votes: 0,
    votesNeeded: 1,
    expiresAt: '2026-11-20T10:55:00.000Z',
  } as const;
  const to = { channel: 'tas-platform' };
  await setup.notices.add([{ topic: `vote:${run.id}`, to, anew: true, once: 'reminder', thread: run.id, content }]);
  const told = await setup.slack.waitFor('the reminder', () =>
    setup.slack.messages('tas-platform').find(({ text }) => /still waits/.test(text)),
  );
  expect(told.threadTs).toBe(card.ts);
  expect(JSON.stringify(told.blocks)).toMatch(/nobody has voted.*subteam/);
});
