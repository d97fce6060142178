import { type BoltOnSlack, startBolt } from './bolt-app.ts';

let started: BoltOnSlack;
let handled: string[];

beforeEach(async () => {
  handled = [];
  started = await startBolt('http', (app) => {
    app.command('/tas', async ({ ack, command }) => {
      handled.push(command.text);
      await ack();
    });
  });
});
afterEach(async () => {
  await started.stop();
});

describe('requests that Slack did not send', () => {
  it.each(['unsigned', 'wrong-signature', 'tampered', 'late'] as const)('are refused by Bolt when %s', async (kind) => {
    expect(await started.slack.sendForged(kind, 'backup')).toBe(401);
    expect(handled).toEqual([]);
  });

  it('pass Bolt when they are a copy of a true one: refusing those is left to the app', async () => {
    await started.slack.as('alice').command('/tas status');
    expect(await started.slack.sendReplay()).toMatchObject({ status: 200 });
    expect(handled).toEqual(['status', 'status']);
  });
});

it('is told as dispatch_failed when nobody listens any more', async () => {
  const { slack, app } = started;
  await app.stop();
  expect(await slack.as('alice').command('/tas help')).toMatchObject({ status: null, error: 'dispatch_failed' });
  await app.start(0);
});
