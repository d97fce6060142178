import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRates } from '../../../sandbox/slack/limits/rates.ts';
import { type SimulatedSlack, startSlack } from '../../../sandbox/slack/slack.ts';
import { createFakeTime, type FakeTime } from '../../../sandbox/slack/time.ts';
import { createTriggers } from '../../../sandbox/slack/triggers.ts';

let time: FakeTime;
let slack: SimulatedSlack;
beforeEach(async () => {
  time = createFakeTime();
  slack = await startSlack({ time });
});
afterEach(async () => {
  await slack.stop();
});

describe('rates', () => {
  it('let a short burst of posts through, then one a second and channel', () => {
    const wait = createRates(time.now);
    for (let i = 0; i < 5; i += 1) expect(wait('chat.postMessage', 'C1')).toBe(0);
    expect(wait('chat.postMessage', 'C1')).toBe(1);
    expect(wait('chat.postMessage', 'C2')).toBe(0);
    time.advance(1_000);
    expect(wait('chat.postMessage', 'C1')).toBe(0);
    expect(wait('chat.postMessage', 'C1')).toBe(1);
  });

  it('let fifty updates a minute through in the long run', () => {
    const wait = createRates(time.now);
    let passed = 0;
    for (let second = 0; second < 600; second += 1) {
      for (let i = 0; i < 5; i += 1) if (wait('chat.update', 'C1') === 0) passed += 1;
      time.advance(1_000);
    }
    expect(passed).toBeGreaterThanOrEqual(500);
    expect(passed).toBeLessThanOrEqual(510);
  });

  it('answer 429 with Retry-After, count by channel whatever its name, and are over in time', async () => {
    const post = (channel: string) =>
      fetch(`${slack.apiUrl}chat.postMessage`, {
        method: 'POST',
        headers: { authorization: `Bearer ${slack.botToken}` },
        body: new URLSearchParams({ channel, text: 'hi' }),
      });
    for (let i = 0; i < 5; i += 1) expect((await post(i % 2 ? '#tas-platform' : 'C0PLATFRM')).status).toBe(200);
    const refused = await post('tas-platform');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toEqual({ ok: false, error: 'ratelimited' });
    expect(slack.messages('tas-platform')).toHaveLength(5);
    time.advance(1_000);
    expect((await post('tas-platform')).status).toBe(200);
  });
});

describe('a trigger', () => {
  it('is good once, for three seconds', () => {
    const triggers = createTriggers(time.now);
    const trigger = { user: 'U0ALICE00', viewId: null };
    const [first, second] = [triggers.give(trigger), triggers.give(trigger)];
    expect(triggers.take(first)).toMatchObject(trigger);
    expect(triggers.take(first)).toBe('exchanged_trigger_id');
    time.advance(3_001);
    expect(triggers.take(second)).toBe('expired_trigger_id');
    expect(triggers.take('made up')).toBe('invalid_trigger_id');
  });
});

/** An app that keeps its requests until the test answers them. */
async function startSlowApp(): Promise<{
  pending: ServerResponse[];
  bodies: string[];
  retries: unknown[];
  stop(): void;
}> {
  const pending: ServerResponse[] = [];
  const bodies: string[] = [];
  const retries: unknown[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    bodies.push(body);
    retries.push(request.headers['x-slack-retry-num']);
    pending.push(response);
    slack.workspace.changed();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  slack.connectApp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`);
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { pending, bodies, retries, stop };
}

describe('three seconds', () => {
  it('are what an app has to acknowledge; what comes later is noted and shown to nobody', async () => {
    const app = await startSlowApp();
    const act = slack.as('alice').command('/tas help');
    await slack.waitFor('the request', () => app.pending.length === 1);
    time.advance(2_999);
    expect(slack.acknowledgements).toEqual([]);
    time.advance(1);
    const outcome = await act;
    expect(outcome).toMatchObject({ status: null, error: 'operation_timeout', ms: 3_000, lateMs: null });
    expect(outcome.shown().map(({ text }) => text)).toEqual(['/tas failed with the error "operation_timeout"']);
    time.advance(500);
    app.pending[0]?.end('too late');
    // The next request goes the whole way after the late answer.
    const next = slack.as('alice').command('/tas status');
    await slack.waitFor('the request', () => app.pending.length === 2);
    app.pending[1]?.end('in time');
    expect(await next).toMatchObject({ status: 200, ms: 0, body: 'in time' });
    expect(outcome.lateMs).toBe(3_500);
    expect(
      slack
        .as('alice')
        .ephemerals()
        .map(({ text }) => text),
    ).not.toContain('too late');
    app.stop();
  });

  it('after an event was not acknowledged, it comes again, three times', async () => {
    const app = await startSlowApp();
    const told = slack.as('alice').say('<@U0TASBOT0> hello');
    for (const [at, pause] of [1, 60_000, 300_000, 3_600_000].entries()) {
      await slack.waitFor(`request ${at}`, () => app.pending.length > at);
      app.pending[at]?.writeHead(500).end();
      await slack.waitFor(`the end of request ${at}`, () => slack.acknowledgements.length > at);
      time.advance(pause);
    }
    expect((await told).told).toMatchObject({ status: 500, error: 'http_service_error' });
    expect(app.retries).toEqual([undefined, '1', '2', '3']);
    expect(new Set(app.bodies).size).toBe(1);
    app.stop();
  });
});

describe('a response_url', () => {
  const use = (url: string, body: object) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  async function responseUrl(): Promise<string> {
    const app = await startSlowApp();
    const act = slack.as('alice').command('/tas help');
    await slack.waitFor('the request', () => app.pending.length === 1);
    app.pending[0]?.end();
    await act;
    app.stop();
    return new URLSearchParams(app.bodies[0]).get('response_url') ?? '';
  }

  it('answers five times', async () => {
    const url = await responseUrl();
    for (let i = 0; i < 5; i += 1) expect((await use(url, { text: `${i}` })).status).toBe(200);
    const sixth = await use(url, { text: '5' });
    expect([sixth.status, await sixth.json()]).toEqual([404, { ok: false, error: 'used_url' }]);
    expect(
      slack
        .as('alice')
        .ephemerals()
        .map(({ text }) => text),
    ).toEqual(['0', '1', '2', '3', '4']);
  });

  it('answers for thirty minutes', async () => {
    const url = await responseUrl();
    time.advance(30 * 60_000);
    expect((await use(url, { text: 'in time', response_type: 'in_channel' })).status).toBe(200);
    time.advance(1);
    const late = await use(url, { text: 'late' });
    expect([late.status, await late.json()]).toEqual([404, { ok: false, error: 'expired_url' }]);
    expect(slack.messages('tas-platform').map(({ text }) => text)).toEqual(['in time']);
  });

  it('holds what it is told to the same limits', async () => {
    const url = await responseUrl();
    const broken = await use(url, { blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3001) } }] });
    expect([broken.status, await broken.json()]).toMatchObject([400, { error: 'invalid_blocks' }]);
  });
});
