import { jest } from '@jest/globals';
import type { Run } from '../../src/runs/run.ts';
import { createRates, type Rates } from '../../src/slack/rates.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { startFrontOnSlack, until } from './front-on-slack.ts';

describe('turns', () => {
  let rates: Rates;
  const given: { at: number; what: string }[] = [];

  function ask(what: string, method: string, channel: string | null, rank = 0): void {
    void rates.turn({ method, channel, rank }).then((may) => may && given.push({ at: Date.now(), what }));
  }

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    rates = createRates({ message: 1_000, factor: 1 });
    given.length = 0;
  });
  afterEach(() => {
    rates.stop();
    jest.useRealTimers();
  });

  it('are one a second and channel for posts and edits together; other channels do not wait', async () => {
    for (let n = 0; n < 3; n += 1) {
      ask('post', 'chat.postMessage', 'C1');
      ask('edit', 'chat.update', 'C1', 1);
      ask('elsewhere', 'chat.postMessage', `C${n + 2}`);
    }
    await jest.advanceTimersByTimeAsync(10_000);
    const inFirst = given.filter(({ what }) => what !== 'elsewhere');
    expect(inFirst).toHaveLength(6);
    for (const [index, { at }] of inFirst.entries()) expect(at).toBeGreaterThanOrEqual(index * 999);
    expect(given.filter(({ what }) => what === 'elsewhere').map(({ at }) => at)).toEqual([0, 0, 0]);
  });

  it('go to what people must act on first, and still to what waits in threads', async () => {
    for (let n = 0; n < 6; n += 1) ask('thread', 'chat.postMessage', 'C1', 2);
    ask('alarm', 'chat.postMessage', 'C1', 0);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(given.map(({ what }) => what)).toEqual(['thread', 'alarm']);
    const alarms = setInterval(() => ask('alarm', 'chat.postMessage', 'C1', 0), 1_000);
    await jest.advanceTimersByTimeAsync(40_000);
    clearInterval(alarms);
    expect(given.filter(({ what }) => what === 'thread')).toHaveLength(6);
  });

  it('of a method that Slack wants left alone wait, those of others go on', async () => {
    rates.rest('chat.update', 30_000);
    ask('edit', 'chat.update', 'C1');
    ask('post', 'chat.postMessage', 'C2');
    await jest.advanceTimersByTimeAsync(29_000);
    expect(given.map(({ what }) => what)).toEqual(['post']);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(given.map(({ what }) => what)).toEqual(['post', 'edit']);
  });

  it('that would come too late are refused at once', async () => {
    const answers: boolean[] = [];
    for (let n = 0; n < 30; n += 1) {
      void rates.turn({ method: 'views.open', channel: null, rank: 0 }, 2_000).then((may) => answers.push(may));
    }
    await jest.advanceTimersByTimeAsync(2_100);
    expect(answers).toHaveLength(30);
    expect(answers.filter(Boolean).length).toBeGreaterThanOrEqual(15);
    expect(answers.filter(Boolean).length).toBeLessThan(20);
  });

  it('end when nobody is there to take them', async () => {
    rates.rest('chat.update', 60_000);
    const waiting = rates.turn({ method: 'chat.update', channel: 'C1', rank: 0 });
    rates.stop();
    expect(await waiting).toBe(false);
    expect(await rates.turn({ method: 'chat.update', channel: 'C1', rank: 0 })).toBe(false);
  });
});

describe('twenty runs at once', () => {
  it('are told within what Slack allows: cards first, then what else there is, each once', async () => {
    const setup = await startFrontOnSlack('http', true, undefined, { message: 1_000, factor: 1 });
    const { slack, door, outbox } = setup;
    try {
      const runs: Run[] = [];
      for (let n = 0; n < 20; n += 1) {
        const environment = n % 2 === 0 ? 'sandbox' : 'production';
        const id = `run-${String(n).padStart(10, '0')}`;
        runs.push(door.add(sampleRun({ id, status: 'running', plan: samplePlan({ environment }) })));
      }
      const counting = setInterval(() => {
        for (const { id } of runs) door.event(id, 'progress', null);
      }, 200);
      const posts = () => slack.calls.filter(({ method }) => method === 'chat.postMessage');
      await until(() => posts().length >= 20, 60_000);
      clearInterval(counting);
      for (const { id } of runs.slice(0, 3)) door.change(id, { status: 'parked' }, 'failed', null);
      await until(() => outbox.at === door.eventList.length, 60_000);
      const messages = slack.messages('tas-platform');
      const named = messages.map(({ metadata }) => JSON.stringify(metadata));
      expect(new Set(named).size).toBe(named.length);
      // What waits in threads came behind what calls for somebody.
      const failures = messages.filter(({ text }) => /^Stopped/.test(text));
      expect(failures).toHaveLength(3);
      expect(messages.filter(({ threadTs }) => threadTs !== null).length).toBeLessThan(20);
      expect(slack.calls.filter(({ answer }) => answer.error === 'ratelimited')).toEqual([]);
      const times = slack.calls.filter(({ method }) => /^chat\.(post|up)/.test(method)).map(({ at }) => at);
      for (const [index, at] of times.entries()) {
        if (index >= 5) expect(at - (times[index - 5] ?? 0)).toBeGreaterThan(4_500);
      }
    } finally {
      await setup.stop();
    }
  }, 150_000);
});
