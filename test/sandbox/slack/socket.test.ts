import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type SimulatedSlack, startSlack } from '../../../sandbox/slack/slack.ts';

let slack: SimulatedSlack;
beforeEach(async () => {
  slack = await startSlack();
});
afterEach(async () => {
  await slack.stop();
});

interface Client {
  readonly socket: WebSocket;
  readonly received: { type: string; reason?: string; envelope_id?: string; payload?: { command?: string } }[];
}

async function openUrl(): Promise<string> {
  const headers = { authorization: `Bearer ${slack.appToken}` };
  const answer = await fetch(`${slack.apiUrl}apps.connections.open`, { method: 'POST', headers });
  return ((await answer.json()) as { url: string }).url;
}

async function connect(): Promise<Client> {
  const socket = new WebSocket(await openUrl());
  const received: Client['received'] = [];
  socket.on('message', (data) => {
    received.push(JSON.parse(String(data)));
    slack.workspace.changed();
  });
  await slack.waitFor('the greeting', () => received[0]);
  return { socket, received };
}

describe('Socket Mode', () => {
  it('greets a connection, and lets each URL in once', async () => {
    const url = await openUrl();
    const first = new WebSocket(url);
    await once(first, 'message');
    expect(slack.socketConnections).toBe(1);
    const second = new WebSocket(url);
    await expect(once(second, 'open')).rejects.toThrow();
  });

  it('gives each envelope to one connection, in turn', async () => {
    const clients = [await connect(), await connect()];
    for (const { socket } of clients) {
      socket.on('message', (data) => {
        const { envelope_id } = JSON.parse(String(data));
        socket.send(JSON.stringify({ envelope_id, payload: { text: 'hi' } }));
      });
    }
    for (let i = 0; i < 4; i += 1) expect((await slack.as('alice').command('/tas help')).body).toBe('{"text":"hi"}');
    expect(clients.map(({ received }) => received.filter(({ type }) => type === 'slash_commands').length)).toEqual([
      2, 2,
    ]);
    expect(clients[0]?.received[1]).toMatchObject({ accepts_response_payload: true, payload: { command: '/tas' } });
  });

  it('says dispatch_failed when no app is connected, or its connection ends before it answers', async () => {
    expect(await slack.as('alice').command('/tas help')).toMatchObject({ error: 'dispatch_failed', status: null });
    const { socket, received } = await connect();
    const act = slack.as('alice').command('/tas help');
    await slack.waitFor('the envelope', () => received[1]);
    socket.terminate();
    expect(await act).toMatchObject({ error: 'dispatch_failed' });
  });

  it('asks apps to connect anew', async () => {
    const { received } = await connect();
    slack.refreshSockets();
    expect(await slack.waitFor('the request', () => received[1])).toEqual({
      type: 'disconnect',
      reason: 'refresh_requested',
    });
  });

  it('cuts connections while Slack is down, and lets nobody in', async () => {
    const { socket } = await connect();
    const url = await openUrl();
    slack.goDown();
    await once(socket, 'close');
    await expect(once(new WebSocket(url), 'open')).rejects.toThrow();
    slack.comeBack();
    await connect();
    expect(slack.socketConnections).toBe(1);
  });
});
