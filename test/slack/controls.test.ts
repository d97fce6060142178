import type { Message } from '../../sandbox/slack/slack.ts';
import type { Run, StepGate } from '../../src/runs/run.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(async () => {
  await setup.stop();
});

const inChannel = (): readonly Message[] =>
  setup.slack.messages('tas-platform').filter(({ threadTs }) => threadTs === null);
const shown = (message: Message): string => JSON.stringify(message.blocks);
const buttonsOf = (message: Message): string[] =>
  message.blocks
    .filter((block) => block.type === 'actions')
    .flatMap((block) => (block.elements as { text: { text: string } }[]).map(({ text }) => text.text));

async function cardOf(over: Partial<Run>): Promise<Message> {
  setup.door.add(sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' }, ...over }));
  return setup.slack.waitFor('the card', () => inChannel()[0]);
}

const theRun = (): Run => [...setup.door.runMap.values()][0] as Run;

function gateOf(over: Partial<StepGate> = {}): StepGate {
  return {
    id: 1,
    step: sampleStep({ id: 'data.drop', title: 'Delete old nodes', effect: 'destroys', count: 7, ownApproval: true }),
    digest: 'e'.repeat(64),
    votesNeeded: 1,
    state: 'open',
    askedAt: '2026-11-20T09:59:00.000Z',
    expiresAt: '2126-11-20T10:59:00.000Z',
    votes: [],
    ...over,
  };
}

describe('the progress card', () => {
  it('pauses and resumes through the door, and says so in a new message', async () => {
    const { slack, door } = setup;
    const card = await cardOf({ status: 'running', startedAt: '2026-11-20T09:56:00.000Z' });
    expect(buttonsOf(card)).toEqual(['Pause', 'Slower', 'Faster', 'Stop…', 'Details']);
    await slack.as('alice').click(card, 'Pause');
    await slack.waitFor('the card to stand still', () => buttonsOf(card).includes('Resume'));
    expect(door.controlsAsked).toMatchObject([
      { what: 'pause', runId: theRun().id, person: { id: 'U0ALICE00', roles: ['operator'] }, seen: null },
    ]);
    expect(shown(card)).toContain('alice asked for it');
    const post = await slack.waitFor('the post', () => inChannel().find(({ text }) => text.startsWith('Paused')));
    expect(slack.as('alice').notifications()).toContain(post);
    await slack.as('alice').click(card, 'Resume');
    await slack.waitFor('the card to go on', () => buttonsOf(card).includes('Pause'));
    expect(theRun().status).toBe('running');
  });

  it('offers the ways back of a run that stands still in its middle, as the card of one that failed does', async () => {
    const { slack } = setup;
    const run = sampleRun({ status: 'paused', startedAt: '2026-11-20T09:56:00.000Z' });
    const steps = run.steps.map((step, index) => (index === 0 ? { ...step, state: 'running' as const } : step));
    const card = await cardOf({ status: 'paused', startedAt: run.startedAt, steps });
    expect(buttonsOf(card)).toEqual(['Resume', 'Stop…', 'Undo…', 'Details']);
    await slack.as('alice').click(card, 'Undo…');
    const ways = await slack.waitFor('the ways', () => slack.as('alice').ephemerals().at(-1));
    expect(ways.text).toMatch(/^Ways back from run-/);
    expect(theRun().status).toBe('paused');
  });

  it('offers no way back from what was not begun', async () => {
    expect(buttonsOf(await cardOf({ status: 'paused' }))).toEqual(['Resume', 'Stop…', 'Details']);
  });

  it('carries the pace that it shows, so that a second tap on it is known', async () => {
    const { slack, door } = setup;
    const card = await cardOf({ status: 'running' });
    const before = { ...card, blocks: card.blocks };
    await slack.as('alice').click(before, 'Slower');
    await until(() => door.controlsAsked.length === 1);
    await slack.as('alice').click(before, 'Slower');
    await until(() => door.controlsAsked.length === 2);
    expect(door.controlsAsked.map(({ what, seen }) => [what, seen])).toEqual([
      ['slower', 1],
      ['slower', 1],
    ]);
  });

  it('asks again before it stops or withdraws something', async () => {
    const { slack, door } = setup;
    const card = await cardOf({ status: 'queued' });
    await slack.as('alice').click(card, 'Withdraw…');
    await slack.waitFor('the card to be over', () => buttonsOf(card).length === 1);
    expect(theRun().status).toBe('closed');
    const other = setup.door.add(sampleRun({ id: 'run-other00000', status: 'running' }));
    const second = await slack.waitFor('the card', () => inChannel().find((each) => shown(each).includes(other.id)));
    await slack.as('alice').click(second, 'Stop…');
    await until(() => door.controlsAsked.length === 2);
    expect(door.controlsAsked.map(({ what }) => what)).toEqual(['cancel', 'stop']);
  });

  it('shows what the door refuses to who asked, and to nobody else', async () => {
    const { slack, door } = setup;
    const card = await cardOf({ status: 'running' });
    const before = { ...card, blocks: card.blocks };
    door.change(theRun().id, { status: 'done' }, 'done', null);
    await slack.as('alice').click(before, 'Pause');
    const answer = await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
    expect(shown(answer)).toContain('is done: that does not fit');
  });
});

describe('the card of a vote on one step', () => {
  async function ballot(): Promise<Message> {
    const { door, slack } = setup;
    await cardOf({ status: 'running' });
    const gate = gateOf();
    const control = { ...theRun().control, pause: 'it needs a vote', gates: [gate], ballot: gate };
    door.change(theRun().id, { status: 'paused', control }, 'paused', 'it needs a vote');
    return slack.waitFor('the vote', () => inChannel().find(({ text }) => text.startsWith('A step waits')));
  }

  it('calls the approvers with that step’s numbers, and votes on its digest', async () => {
    const { slack, door } = setup;
    const card = await ballot();
    expect(slack.as('bob').notifications()).toContain(card);
    expect(shown(card)).toContain('destroys 7');
    await slack.as('bob').click(card, 'Approve');
    await until(() => door.votesAsked.length === 1);
    expect(door.votesAsked).toMatchObject([{ digest: 'e'.repeat(64), choice: 'approve', runId: theRun().id }]);
  });

  it('asks for a reason before a no', async () => {
    const { slack, door } = setup;
    await slack.as('dana').click(await ballot(), 'Reject…');
    const view = await slack.waitFor('the window', () => slack.as('dana').views()[0]);
    await slack.as('dana').submit(view, { text: 'not those' });
    await until(() => door.votesAsked.length === 1);
    expect(door.votesAsked).toMatchObject([{ digest: 'e'.repeat(64), choice: 'reject', reason: 'not those' }]);
  });

  it('loses its buttons when it is over, also after a restart, and the next vote is a new message', async () => {
    const { slack, door } = setup;
    const card = await ballot();
    await setup.front.stop();
    const over = gateOf({ state: 'approved' });
    const control = { ...theRun().control, pause: null, gates: [over], ballot: null };
    door.change(theRun().id, { status: 'running', control }, 'resumed', 'approved');
    await setup.restart();
    await slack.waitFor('the buttons to go', () => buttonsOf(card).length === 0);
    const next = gateOf({ id: 2, digest: 'd'.repeat(64) });
    door.change(
      theRun().id,
      { status: 'paused', control: { ...control, pause: 'it moved', gates: [over, next], ballot: next } },
      'paused',
      'it moved',
    );
    await slack.waitFor(
      'the next vote',
      () => inChannel().filter(({ text }) => text.startsWith('A step waits')).length === 1,
    );
    expect(inChannel().filter(({ text }) => /vote/.test(text))).toHaveLength(2);
  });
});

describe('the post of a canary that is done', () => {
  it('asks for everything with one click, as an ordinary new plan', async () => {
    const { slack, door } = setup;
    await cardOf({ status: 'running', plan: samplePlan({ canary: 'tenant_1' }) });
    door.change(theRun().id, { status: 'done' }, 'done', null);
    const post = await slack.waitFor('the post', () => inChannel().find(({ text }) => text.startsWith('Done')));
    await slack.as('alice').click(post, 'Continue with everything');
    await until(() => door.asked.length === 1);
    expect(door.asked).toMatchObject([
      { action: 'migrate', subject: 'space-isolation', environment: 'sandbox', person: { id: 'U0ALICE00' } },
    ]);
    expect(door.asked[0]?.canary ?? null).toBeNull();
  });
});

it('a run that nobody is heard of is told of in the channel', async () => {
  const { slack, door } = setup;
  await cardOf({ status: 'running' });
  door.event(theRun().id, 'lost', 'No worker has been heard of for 2 min. It holds sandbox.');
  const post = await slack.waitFor('the post', () => inChannel().find(({ text }) => text.startsWith('Not heard of')));
  expect(shown(post)).toContain('It holds sandbox');
});
