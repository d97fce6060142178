import { request } from 'node:http';
import type { Act, ActAnswer } from '../../../sandbox/console/acts.ts';
import type { SceneChange } from '../../../sandbox/console/scene.ts';
import { type Console, serveConsole } from '../../../sandbox/console/serve-console.ts';
import { type BoltOnSlack, startBolt } from '../slack/bolt-app.ts';

const text = (words: string) => ({ type: 'plain_text' as const, text: words });

describe('the console, with the real Bolt', () => {
  let bolt: BoltOnSlack;
  let served: Console;
  const heard: string[] = [];

  beforeAll(async () => {
    bolt = await startBolt('http', (app) => {
      app.command('/tas', async ({ ack, command, client }) => {
        heard.push(`${command.user_name} ${command.text}`);
        await ack();
        const reason = {
          type: 'input',
          block_id: 'reason',
          label: text('Why?'),
          element: { type: 'plain_text_input', action_id: 'text', min_length: 3 },
        } as const;
        await client.views.open({
          trigger_id: command.trigger_id,
          view: { type: 'modal', callback_id: 'why', title: text('Why'), submit: text('Send'), blocks: [reason] },
        });
      });
      app.view('why', async ({ ack, view }) => {
        heard.push(`why ${view.state.values.reason?.text?.value}`);
        await ack();
      });
      app.action('go', async ({ ack, body, payload }) => {
        if (payload.type === 'button' && 'block_id' in payload)
          heard.push(`${body.user.id} ${payload.block_id} ${payload.value}`);
        await ack();
      });
    });
    served = await serveConsole(bolt.slack);
  });
  afterAll(async () => {
    await served.close();
    await bolt.stop();
  });

  /** With headers as nothing but a stranger would set them. */
  function send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body = '',
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, served.url), { method, headers }, (response) => {
        let all = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          all += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: all }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const origin = (): string => new URL(served.url).origin;
  async function act(person: string, what: Act | object): Promise<ActAnswer> {
    const headers = { origin: origin(), 'content-type': 'application/json' };
    return JSON.parse((await send('POST', '/acts', headers, JSON.stringify({ person, act: what }))).body) as ActAnswer;
  }

  /** The stream's changes, one after the other. */
  async function* changes(signal: AbortSignal): AsyncGenerator<SceneChange> {
    const response = await fetch(`${served.url}events`, { signal });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) if (event.startsWith('data: ')) yield JSON.parse(event.slice(6)) as SceneChange;
    }
  }

  it('serves the page with nothing from elsewhere, no inline script and no cookies', async () => {
    const page = await send('GET', '/', {});
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(page.headers['set-cookie']).toBeUndefined();
    expect(page.body).not.toMatch(/<script>|https?:|style=/);
    expect((await send('GET', '/main.js', {})).body.length).toBeGreaterThan(50_000);
    expect((await send('GET', '/main.css', {})).headers['content-type']).toContain('text/css');
    expect((await send('GET', '/../package.json', {})).status).toBe(404);
  });

  it('refuses other names for this machine, other pages, and forms', async () => {
    const body = JSON.stringify({ person: 'alice', act: { do: 'command', channel: 'C0PLATFRM', line: '/tas evil' } });
    const json = { 'content-type': 'application/json' };
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await send('POST', '/acts', headers, body)).status;
    expect((await send('GET', '/', { host: 'rebound.example.com' })).status).toBe(403);
    expect((await send('GET', '/events', { host: 'rebound.example.com' })).status).toBe(403);
    expect(await statusOf({ ...json })).toBe(403);
    expect(await statusOf({ ...json, origin: 'https://example.com' })).toBe(403);
    expect(await statusOf({ ...json, origin: 'null' })).toBe(403);
    expect(await statusOf({ origin: origin(), 'content-type': 'text/plain' })).toBe(403);
    expect(heard).toEqual([]);
  });

  it('refuses acts that do not exist, and of people who do not', async () => {
    const complaint = 'The page asked for something that does not exist.';
    expect(await act('nobody', { do: 'home' })).toEqual({ complaint });
    expect(await act('alice', { do: 'goDown' })).toEqual({ complaint });
    expect(await act('alice', { do: 'home', more: 1 })).toEqual({ complaint });
  });

  it('tells the whole scene once, and then only what changed', async () => {
    const ended = new AbortController();
    const stream = changes(ended.signal);
    const first = (await stream.next()).value as SceneChange;
    expect(first.fresh).toBe(true);
    expect(Object.keys(first.set)).toEqual(expect.arrayContaining(['place', 'channel C0PLATFRM', 'channel D0ALICE00']));
    const { message } = await bolt.slack.as('bob').say('hello <@U0ALICE00>');
    const key = `message C0PLATFRM ${message.ts}`;
    const second = (await stream.next()).value as SceneChange;
    expect(second).toMatchObject({
      fresh: false,
      gone: [],
      set: { [key]: { user: 'U0BOB0000', told: ['U0ALICE00'] } },
    });
    expect(Object.keys(second.set)).toEqual([key]);
    bolt.slack.workspace.remove(message);
    expect((await stream.next()).value).toEqual({ fresh: false, set: {}, gone: [key] });
    ended.abort();
  });

  it('does what a person does: a command, its modal with what is missing, and the answer', async () => {
    expect(await act('alice', { do: 'command', channel: 'C0PLATFRM', line: '/tas ask' })).toEqual({ complaint: null });
    const modal = await bolt.slack.waitFor('the modal', () => bolt.slack.as('alice').views()[0]);
    const element = { blockId: 'reason', actionId: 'text' };
    const submit = (choice: string): Promise<ActAnswer> =>
      act('alice', { do: 'submit', view: modal.id, filled: [{ element, choice }] });
    expect((await submit('')).errors).toEqual({ reason: 'Please complete this required field.' });
    expect((await submit('no')).errors).toEqual({ reason: 'Please enter at least 3 characters.' });
    expect((await act('bob', { do: 'submit', view: modal.id, filled: [] })).complaint).toMatch('not open');
    expect(await submit('because')).toEqual({ complaint: null });
    expect(heard).toEqual(['alice ask', 'why because']);
    expect(bolt.slack.as('alice').views()).toEqual([]);
  });

  it('clicks the button of the block that was meant, of messages that the person sees only', async () => {
    const button = (value: string) => ({ type: 'button' as const, action_id: 'go', text: text('Go'), value });
    const row = (block_id: string) => ({ type: 'actions' as const, block_id, elements: [button(block_id)] });
    const { client } = bolt.app;
    await client.chat.postEphemeral({
      channel: 'tas-platform',
      user: 'U0ALICE00',
      text: 'two',
      blocks: [row('one'), row('two')],
    });
    const [message] = bolt.slack.as('alice').ephemerals();
    const target = { channel: 'C0PLATFRM', ts: message?.ts ?? '' };
    const element = { blockId: 'two', actionId: 'go' };
    expect((await act('bob', { do: 'click', target, element })).complaint).toMatch('does not see this message');
    expect(await act('alice', { do: 'click', target, element })).toEqual({ complaint: null });
    expect(heard.at(-1)).toBe('U0ALICE00 two two');
  });

  it('serves uploaded pictures as pictures, and anything else as a download', async () => {
    const upload = async (name: string, content: Buffer): Promise<string> => {
      const { upload_url, file_id } = await bolt.app.client.files.getUploadURLExternal({
        filename: name,
        length: content.length,
      });
      await fetch(String(upload_url), { method: 'POST', body: new Uint8Array(content) });
      return `/files/${file_id}`;
    };
    const png = await upload('a.png', Buffer.from('89504e470d0a1a0a', 'hex'));
    expect((await send('GET', png, {})).headers['content-type']).toBe('image/png');
    const page = await send('GET', await upload('a.png', Buffer.from('<script>alert(1)</script>')), {});
    expect(page.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
    });
    expect((await send('GET', '/files/none', {})).status).toBe(404);
  });
});
