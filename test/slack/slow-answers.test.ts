import { jest } from '@jest/globals';
import { renderMessage } from '../../sandbox/slack/render.ts';
import { Failure } from '../../src/shared/failure.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;
let open: () => void;

/** Holds the door until `open` is called. */
function hold(): void {
  setup.door.slow = new Promise((resolve) => {
    open = resolve;
  });
}

const seenBy = (who: 'alice' | 'bob' | 'carol') => setup.slack.as(who).ephemerals().map(renderMessage);
const looking = /Looking at every store for .*; this writes nothing\./;

describe('an answer that takes long', () => {
  beforeEach(async () => {
    setup = await startFrontOnSlack('http', true, 40);
    hold();
  });
  afterEach(async () => {
    open();
    await setup.stop();
  });

  it.each([
    ['/tas plan space-isolation env:sandbox', 'plan space-isolation', /^Plan: SANDBOX/],
    ['/tas migrate space-isolation env:sandbox reason:"a <b>"', 'migrate space-isolation', /^Asked for: SANDBOX/],
    ['/tas rollback run-01jd0a4ycz', 'rollback run-01jd0a4ycz', /^Ways back from run-01jd0a4ycz/],
  ])('is said to be looked for, to the person alone, and comes after that: %s', async (line, subject, answer) => {
    const { slack, door } = setup;
    door.add(sampleRun({ id: 'run-01jd0a4ycz', status: 'done' }));
    await slack.as('alice').command(line);
    await until(() => seenBy('alice').length === 1);
    expect(seenBy('alice')[0]).toContain(`Looking at every store for ${subject}; this writes nothing.`);
    open();
    await until(() => seenBy('alice').length > 1);
    expect(slack.as('alice').ephemerals()[1]?.text).toMatch(answer);
    expect(seenBy('alice').filter((text) => looking.test(text))).toHaveLength(1);
    expect(seenBy('bob')).toEqual([]);
  });

  it('leaves room for four pages behind one response URL', async () => {
    const { slack, door } = setup;
    const [stage] = samplePlan().stages;
    if (!stage) throw new Error('the sample has no stage');
    const steps = Array.from({ length: 300 }, (_, i) =>
      stage.steps.map((step) => ({ ...step, id: `s${i}.${step.id}`, title: `${'long '.repeat(40)} ${i}` })),
    );
    const plan = samplePlan({ stages: [{ ...stage, steps: steps.flat() }] });
    door.nextPreview = { plan, votesNeeded: 1, refused: false };
    await slack.as('carol').command('/tas plan space-isolation env:sandbox');
    await until(() => seenBy('carol').length === 1);
    open();
    await slack.waitFor('the last page', () =>
      slack
        .as('carol')
        .ephemerals()
        .find(({ text }) => text.includes('(4/')),
    );
    const all = slack.as('carol').ephemerals();
    expect(all).toHaveLength(5);
    expect(new Set(all.map(({ via }) => via)).size).toBe(1);
    expect(all[0]?.via).toMatch(/^\/commands\//);
    expect(slack.calls.some(({ method }) => method === 'chat.postMessage')).toBe(false);
  });

  it('may be a no, which comes after it too', async () => {
    const { slack, door } = setup;
    door.advise = async () => {
      await door.slow;
      throw new Failure({ code: 'unreachable', message: 'graph does not answer.', advice: 'Start it.' });
    };
    door.add(sampleRun({ id: 'run-01jd0a4ycz', status: 'done' }));
    await slack.as('alice').command('/tas rollback run-01jd0a4ycz');
    await until(() => seenBy('alice').length === 1);
    open();
    await until(() => seenBy('alice').length === 2);
    expect(seenBy('alice')[1]).toContain('graph does not answer.');
  });

  it('is said in place of the buttons at once where one was clicked, and nowhere else', async () => {
    const { slack, door } = setup;
    await slack.as('alice').command('/tas migrate space-isolation');
    await until(() => slack.as('alice').ephemerals().length === 1);
    const [question] = slack.as('alice').ephemerals();
    if (!question) throw new Error('there is no question');
    await slack.as('alice').click(question, 'sandbox');
    await until(() =>
      looking.test(renderMessage(question).replace('Looking at every store;', 'Looking at every store for it;')),
    );
    expect(question.text).toBe('Asked');
    await until(() => door.asked.length === 1);
    open();
    await until(() => seenBy('alice').length === 2);
    expect(slack.as('alice').ephemerals()[1]?.text).toMatch(/^Asked for: SANDBOX/);
  });

  it('leaves the card alone whose button led to it', async () => {
    const { slack, door } = setup;
    door.add(sampleRun({ id: 'run-01jd0a4ycz', status: 'running' }));
    await slack.waitFor('the card', () => slack.messages('tas-platform')[0]);
    door.change('run-01jd0a4ycz', { status: 'parked' }, 'failed', 'the disk is full');
    const card = await slack.waitFor('the failure card', () =>
      slack.messages('tas-platform').find((message) => renderMessage(message).includes('Undo…')),
    );
    await slack.as('alice').click(card, 'Undo…');
    await until(() => seenBy('alice').length === 1);
    expect(seenBy('alice')[0]).toMatch(looking);
    expect(renderMessage(card)).toContain('Undo…');
    open();
    await until(() => seenBy('alice').length === 2);
    expect(slack.as('alice').ephemerals()[1]?.text).toMatch(/^Ways back/);
  });
});

describe('an answer', () => {
  afterEach(() => setup.stop());

  it('that comes in time, or that looks at no store, is the only one', async () => {
    setup = await startFrontOnSlack('http', true, 400);
    const { slack, door } = setup;
    door.add(sampleRun({ id: 'run-01jd0a4ycz', requester: { id: 'U0ALICE00', name: 'alice' } }));
    await slack.as('alice').command('/tas rollback run-01jd0a4ycz');
    await until(() => seenBy('alice').length === 1);
    const asked = jest.spyOn(door, 'runs').mockImplementation(async () => {
      await door.slow;
      return [];
    });
    hold();
    await slack.as('bob').command('/tas runs');
    await until(() => asked.mock.calls.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 600));
    open();
    await until(() => seenBy('bob').length === 1);
    expect([...seenBy('alice'), ...seenBy('bob')].filter((text) => looking.test(text))).toEqual([]);
  });
});
