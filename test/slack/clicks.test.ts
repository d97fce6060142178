import type { Message } from '../../sandbox/slack/slack.ts';
import { restoreWay } from '../sample-advice.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

async function cardOf(over: Parameters<typeof sampleRun>[0] = {}): Promise<Message> {
  setup.door.add(sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' }, ...over }));
  return setup.slack.waitFor('the card', () => setup.slack.messages('tas-platform')[0]);
}

interface Button {
  readonly text: { readonly text: string };
  readonly value: string;
  readonly confirm?: { readonly title: { readonly text: string } };
}

function buttonsOf(message: Message): readonly Button[] {
  const rows = message.blocks.filter((block) => block.type === 'actions');
  return rows.flatMap((row) => row.elements as readonly Button[]);
}

const buttonOf = (message: Message, text: string) => buttonsOf(message).find((button) => button.text.text === text);

const shown = (message: Message): string => JSON.stringify(message.blocks);

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(async () => {
  await setup.stop();
});

describe('the approval card', () => {
  it('calls the approvers with a new message', async () => {
    const { slack } = setup;
    const card = await cardOf();
    expect(card.text).toContain('Approval wanted: SANDBOX · space-isolation');
    expect(slack.as('bob').notifications()).toEqual([card]);
    expect(slack.as('carol').notifications()).toEqual([]);
    const approve = buttonOf(card, 'Approve');
    expect(approve?.confirm?.title.text).toBe('Approve for SANDBOX?');
    expect(approve?.value).toMatch(/^[\w-]{32}$/);
  });

  it('takes the digest of a vote from storage, and shows who voted and when', async () => {
    const { slack, door, outbox } = setup;
    const card = await cardOf();
    const run = [...door.runMap.values()][0];
    await slack.as('bob').click(card, 'Approve');
    await slack.waitFor('the card to show the vote', () => shown(card).includes('approved by <@U0BOB0000>'));
    expect(door.votesAsked).toMatchObject([
      { runId: run?.id, digest: run?.digest, choice: 'approve', person: { id: 'U0BOB0000', roles: ['approver'] } },
    ]);
    expect(shown(card)).not.toContain('Approve for');
    expect(slack.as('bob').ephemerals()[0]?.text).toContain('You approved');
    expect([...outbox.buttons.values()].some(({ digest }) => digest === run?.digest)).toBe(true);
  });

  it('believes nothing that a click says of itself', async () => {
    const { slack, door } = setup;
    const card = await cardOf();
    const run = [...door.runMap.values()][0];
    await slack.as('bob').clickForged(card, 'tas-approve', `${run?.id}:${run?.digest}`);
    const answer = await slack.waitFor('the answer', () => slack.as('bob').ephemerals()[0]);
    expect(answer.text).toBe('This button is out of date');
    expect(door.votesAsked).toEqual([]);
  });

  it('counts no vote on a plan that is another one by now', async () => {
    const { slack, door } = setup;
    const card = await cardOf();
    const run = [...door.runMap.values()][0];
    const token = buttonOf(card, 'Approve')?.value ?? '';
    if (run !== undefined) door.runMap.set(run.id, { ...run, digest: 'another' });
    await slack.as('bob').clickForged(card, 'tas-approve', token);
    const answer = await slack.waitFor('the answer', () => slack.as('bob').ephemerals()[0]);
    expect(shown(answer)).toContain('The plan is another one now.');
    expect(door.runMap.get(run?.id ?? '')?.status).toBe('planned');
  });

  it('hands the requester’s own vote to the door, which refuses it', async () => {
    const { slack, door } = setup;
    const card = await cardOf();
    await slack.as('alice').click(card, 'Approve');
    const answer = await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
    expect(shown(answer)).toContain('Nobody approves their own request.');
    expect(door.votesAsked).toHaveLength(1);
  });

  it('asks for a reason before a no, and tells it to the requester in a new message', async () => {
    const { slack, door } = setup;
    const card = await cardOf();
    await slack.as('dana').click(card, 'Reject…');
    const view = await slack.waitFor('the window', () => slack.as('dana').views()[0]);
    await slack.as('dana').submit(view, { text: 'not before <the> *audit*' });
    const post = await slack.waitFor('the post', () =>
      slack.messages('tas-platform').find((m) => m.text.startsWith('Not started')),
    );
    expect(door.votesAsked).toMatchObject([
      { choice: 'reject', reason: 'not before <the> *audit*', person: { name: 'dana' } },
    ]);
    expect(shown(post)).toContain('<@U0DANA000> said no: “not before &lt;the&gt; ∗audit∗”');
    expect(slack.as('alice').notifications()).toContain(post);
    await slack.waitFor('the card without its vote', () => shown(card).includes('rejected by <@U0DANA000>') || null);
  });

  it('opens the details as a window, not for those without a role', async () => {
    const { slack } = setup;
    const card = await cardOf();
    await slack.as('carol').click(card, 'Details');
    const seenBy = (name: 'carol' | 'mallory') => JSON.stringify(slack.as(name).views()[0]?.view ?? null);
    await until(() => seenBy('carol').includes('Fill space_id on the files'));
    await slack.as('mallory').click(card, 'Details');
    await until(() => seenBy('mallory').includes('may not use this bot'));
    expect(seenBy('mallory')).not.toContain('Fill space_id');
  });

  it('answers a stale button clearly', async () => {
    const { slack, door } = setup;
    const card = await cardOf();
    const before = { ...card, blocks: card.blocks };
    const run = [...door.runMap.values()][0];
    door.change(run?.id ?? '', { status: 'expired' }, 'expired', null);
    await slack.as('bob').click(before, 'Approve');
    await slack.as('bob').click(before, 'Reject…');
    await slack.waitFor('both answers', () => slack.as('bob').ephemerals().length === 2);
    const said = slack.as('bob').ephemerals().map(shown).join();
    expect(said).toContain('is expired: votes are closed');
    expect(said).toContain('no longer waits for votes');
  });
});

describe('the failure card', () => {
  const failure = { code: 'unreachable' as const, message: 'graph is down.', advice: 'Start it.', retryable: true };

  async function failed(): Promise<Message> {
    const { door, slack } = setup;
    const run = sampleRun({ status: 'running', requester: { id: 'U0ALICE00', name: 'alice' } });
    door.add(run);
    door.change(run.id, { status: 'parked', failure }, 'failed', null);
    return slack.waitFor('the failure card', () =>
      slack.messages('tas-platform').find((m) => m.text.startsWith('Stopped')),
    );
  }

  it('mentions the requester and goes on after Retry, without its buttons', async () => {
    const { slack, door } = setup;
    const card = await failed();
    expect(slack.as('alice').notifications()).toContain(card);
    await slack.as('alice').click(card, 'Retry');
    await slack.waitFor('the buttons to go', () => buttonsOf(card).length === 0);
    expect([...door.runMap.values()][0]?.status).toBe('running');
    await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
  });

  it('loses its buttons after a restart too, when somebody clicks', async () => {
    const { slack } = setup;
    const card = await failed();
    const run = [...setup.door.runMap.values()][0];
    await setup.front.stop();
    setup.door.change(run?.id ?? '', { status: 'closed' }, 'closed', 'kept by erin');
    await setup.restart();
    await slack.as('alice').click(card, 'Keep and stop');
    await slack.waitFor('the buttons to go', () => buttonsOf(card).length === 0);
    const answer = await slack.waitFor('the answer', () => slack.as('alice').ephemerals()[0]);
    expect(shown(answer)).toContain('is not parked');
  });

  it.each([
    ['Undo', { action: 'rollback', subject: 'run-01jd0a4ycz', environment: 'sandbox' }],
    [
      'Restore bak-20261120-095500-4f2a',
      { action: 'restore', subject: 'bak-20261120-095500-4f2a', environment: 'sandbox' },
    ],
  ])('shows the ways back with Undo…, and asks for the one that is clicked: %s', async (button, asked) => {
    const { slack, door } = setup;
    door.backupList = [restoreWay().set];
    const card = await failed();
    await slack.as('alice').click(card, 'Undo…');
    const ways = await slack.waitFor('the ways', () => slack.as('alice').ephemerals()[0]);
    expect(ways.text).toContain('Ways back from run-01jd0a4ycz: undo');
    expect(door.asked).toEqual([]);
    await slack.as('alice').click(ways, button);
    await slack.waitFor('the answer', () => door.asked.length > 0 && slack.as('alice').ephemerals().length > 1);
    expect(door.asked).toMatchObject([asked]);
    expect(buttonsOf(ways)).toEqual([]);
  });
});
