import { groups, people } from '../../sandbox/slack/people.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(() => setup.stop());

const reason = 'logins fail <!channel> since the release';

/** Erin asks by the command, and is shown what she would approve. */
async function erinAsks() {
  const run = setup.door.add(sampleRun({}));
  const erin = setup.slack.as('erin');
  await erin.command(`/tas break-glass ${run.id} reason:"${reason}"`);
  return { run, erin, card: await setup.slack.waitFor('the card', () => erin.ephemerals()[0]) };
}

it('shows what would run to who asks, alone, and votes with the reason once that is confirmed', async () => {
  const { door } = setup;
  const { run, erin, card } = await erinAsks();
  const shown = JSON.stringify(card.blocks);
  expect(shown).toContain('Break-glass: SANDBOX');
  expect(shown).not.toContain('<!channel>');
  expect(door.votesAsked).toEqual([]);
  const { confirmed } = await erin.click(card, 'Break the glass…');
  expect(confirmed?.text).toContain('whoever is on call is woken');
  await until(() => door.votesAsked.length > 0);
  expect(door.votesAsked).toMatchObject([
    { runId: run.id, digest: run.digest, choice: 'approve', reason, breaksGlass: true, person: { id: people.erin.id } },
  ]);
});

it('looks at the click whether who asks is still an operator', async () => {
  const { door, slack } = setup;
  const { erin, card } = await erinAsks();
  slack.setMembers(groups.operators.id, [people.alice.id]);
  await erin.click(card, 'Break the glass…');
  await until(() => door.votesAsked.length > 0);
  expect(door.votesAsked[0]?.person.roles).not.toContain('operator');
});

it('says with a vote since when the voter is an approver', async () => {
  const { door, slack } = setup;
  door.add(sampleRun({}));
  const card = await slack.waitFor('the card', () => slack.messages('tas-platform')[0]);
  const vote = async (name: 'bob' | 'dana' | 'erin') => {
    const before = door.votesAsked.length;
    await slack.as(name).click(card, 'Approve');
    await until(() => door.votesAsked.length > before);
    return door.votesAsked.at(-1)?.person;
  };
  expect(await vote('bob')).toMatchObject({ approverSince: null });
  slack.setMembers(groups.approvers.id, [people.bob.id, people.dana.id, people.erin.id]);
  const erin = await vote('erin');
  expect(erin?.roles).toContain('approver');
  expect(Date.parse(erin?.approverSince ?? '')).not.toBeNaN();
});

it('asks for the reason before anything else', async () => {
  const { door, slack } = setup;
  const run = door.add(sampleRun({}));
  const erin = slack.as('erin');
  await erin.command(`/tas break-glass ${run.id}`);
  const answer = await slack.waitFor('the answer', () => erin.ephemerals()[0]);
  expect(JSON.stringify(answer.blocks)).toContain('Break-glass needs a reason.');
  expect(door.votesAsked).toEqual([]);
});

it('calls all approvers in the channel, anew, with who it was and why', async () => {
  const { door, slack } = setup;
  const run = door.add(sampleRun({}));
  await slack.waitFor('the card', () => slack.messages('tas-platform')[0]);
  door.event(run.id, 'glass-broken', `erin: ${reason}`);
  const post = await slack.waitFor('the post', () =>
    slack.messages('tas-platform').find(({ text }) => text.startsWith('Glass broken')),
  );
  const shown = JSON.stringify(post.blocks);
  expect(shown).toContain('<!subteam^');
  expect(shown).toContain('erin: logins fail');
  expect(shown).toContain('&lt;!channel&gt;');
});
