import { isLooking } from '../../blocks/notices.ts';
import { groups } from '../../sandbox/slack/people.ts';
import type { PersonInSlack } from '../../sandbox/slack/slack.ts';
import { sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

const persons = 50;
const commands = ['/tas help', '/tas runs env:sandbox', '/tas status env:sandbox', '/tas frobnicate'];
const acts = 20;

let setup: FrontOnSlack;

beforeAll(async () => {
  setup = await startFrontOnSlack('http', true, undefined, { message: 1_000, factor: 1 });
});
afterAll(() => setup.stop());

/** What this person was shown, windows included; that an answer takes a while is none. */
function answersOf(person: PersonInSlack): number {
  return person.ephemerals().filter((message) => !isLooking(message)).length;
}

describe('a thousand clicks and commands of fifty people at once', () => {
  it('are acknowledged, and each has exactly one answer, within what Slack allows', async () => {
    const { slack, door } = setup;
    const crowd = slack.crowd(persons);
    const ids = crowd.map(({ id }) => id);
    slack.setMembers(groups.operators.id, ids);
    slack.setMembers(groups.approvers.id, ids);
    const waiting = door.add(sampleRun({ id: 'run-waiting000' }));
    const busy = door.add(sampleRun({ id: 'run-busy000000', status: 'running', startedAt: new Date().toISOString() }));
    const cardOf = (id: string) =>
      slack.messages('tas-platform').find((message) => JSON.stringify(message.blocks).includes(id));
    const card = await slack.waitFor('the card that waits', () => cardOf(waiting.id));
    const progress = await slack.waitFor('the card that counts', () => cardOf(busy.id));
    for (let count = 0; count < 100; count += 1) door.event(busy.id, 'progress', null);
    const act = (person: PersonInSlack, index: number, place: number) => {
      if (place === 0) return person.click(card, 'Approve');
      if (place === 1 + (index % 18)) return person.click(progress, 'Slower');
      if (place === 2 + (index % 18)) return person.click(progress, 'Details');
      return person.command(commands[(index + place) % commands.length] ?? '');
    };
    // Each goes on as soon as it was acknowledged.
    const given = crowd.map(async (person, index) => {
      const outcomes = [];
      for (let place = 0; place < acts; place += 1) outcomes.push(await act(person, index, place));
      return outcomes;
    });
    const outcomes = (await Promise.all(given)).flat();
    expect(outcomes).toHaveLength(persons * acts);
    expect(outcomes.filter(({ status }) => status !== 200)).toEqual([]);
    const windows = (): number => slack.calls.filter((call) => call.method === 'views.open' && call.answer.ok).length;
    const answered = (): number => crowd.reduce((sum, person) => sum + answersOf(person), 0) + windows();
    await until(() => answered() >= persons * acts, 60_000);
    expect(answered()).toBe(persons * acts);
    for (const person of crowd) expect(answersOf(person)).toBeGreaterThanOrEqual(acts - 1);
    // Nobody's vote counted twice, and everybody's was heard.
    expect(new Set(door.votesAsked.map(({ person }) => person.id)).size).toBe(persons);
    expect(door.votesAsked).toHaveLength(persons);
    expect(door.controlsAsked).toHaveLength(persons);
    expect(slack.calls.filter(({ answer }) => answer.error === 'ratelimited')).toEqual([]);
  }, 120_000);
});
