import type { BlockAction, ButtonAction, SlackViewAction } from '@slack/bolt';
import { renderMessage, renderView } from '../../../sandbox/slack/render.ts';
import { type BoltOnSlack, startBolt } from './bolt-app.ts';

const plain = (text: string) => ({ type: 'plain_text' as const, text });

const card = [
  { type: 'section', text: { type: 'mrkdwn', text: '<!subteam^S0APPROVE> please vote on *space-isolation*' } },
  {
    type: 'actions',
    block_id: 'votes',
    elements: [
      {
        type: 'button',
        action_id: 'approve',
        value: 'token-1',
        style: 'primary',
        text: plain('Approve'),
        confirm: {
          title: plain('Approve?'),
          text: plain('It changes 3 records.'),
          confirm: plain('Yes'),
          deny: plain('No'),
        },
      },
      { type: 'button', action_id: 'reject', value: 'token-2', text: plain('Reject…') },
      {
        type: 'static_select',
        action_id: 'environment',
        placeholder: plain('Where?'),
        options: ['staging', 'production'].map((value) => ({ text: plain(value), value })),
      },
    ],
  },
];

const modal = (title: string, more: object = {}) => ({
  type: 'modal' as const,
  callback_id: 'why',
  private_metadata: 'token-2',
  title: plain(title),
  submit: plain('Send'),
  close: plain('Cancel'),
  blocks: [
    {
      type: 'input' as const,
      block_id: 'reason',
      label: plain('Why not?'),
      element: { type: 'plain_text_input' as const, action_id: 'text', min_length: 3 },
    },
  ],
  ...more,
});

let started: BoltOnSlack;
afterEach(async () => {
  await started.stop();
});

describe.each(['http', 'socket'] as const)('the simulated Slack under the real Bolt over %s', (mode) => {
  it('takes a command to the app and its answers to the person alone', async () => {
    const commands: object[] = [];
    started = await startBolt(mode, (app) => {
      app.command('/tas', async ({ ack, respond, command }) => {
        await ack();
        commands.push(command);
        await respond(`you said ${command.text}`);
      });
    });
    const { slack } = started;
    const outcome = await slack
      .as('alice')
      .command('/tas migrate space-isolation env:sandbox', { channel: '#general' });
    expect(outcome).toMatchObject({ status: 200, error: null, body: '' });
    expect((await outcome.answer()).text).toBe('you said migrate space-isolation env:sandbox');
    expect(slack.as('alice').ephemerals()).toEqual(outcome.shown());
    expect(slack.as('bob').sees('general')).toEqual([]);
    expect(slack.as('alice').notifications()).toEqual([]);
    expect(commands).toMatchObject([
      {
        command: '/tas',
        text: 'migrate space-isolation env:sandbox',
        user_id: 'U0ALICE00',
        user_name: 'alice',
        channel_id: 'C0GENERAL',
        channel_name: 'general',
        team_id: 'T0TAS0000',
        api_app_id: 'A0TASBOT0',
        is_enterprise_install: 'false',
        trigger_id: expect.any(String),
        response_url: expect.stringContaining('/commands/'),
      },
    ]);
  });

  it('shows what an acknowledgement itself says, alone or to all', async () => {
    started = await startBolt(mode, (app) => {
      app.command('/tas', async ({ ack, command }) => {
        if (command.text === 'text') await ack('just text');
        else if (command.text === 'broken') await ack({ blocks: [{ type: 'carousel' } as never] });
        else await ack({ text: 'for all', response_type: 'in_channel' });
      });
    });
    const { slack } = started;
    await slack.as('alice').command('/tas text');
    await slack.as('alice').command('/tas broken');
    await slack.as('alice').command('/tas all');
    expect(
      slack
        .as('alice')
        .sees()
        .map(({ text }) => text),
    ).toEqual(['just text', '/tas failed with the error "invalid_command_response"', 'for all']);
    expect(
      slack
        .as('bob')
        .sees()
        .map(({ text }) => text),
    ).toEqual(['for all']);
  });

  it('carries a click with its dialog, message, state and value; the card is then replaced', async () => {
    const bodies: BlockAction[] = [];
    started = await startBolt(mode, (app) => {
      app.action('environment', async ({ ack }) => ack());
      app.action('approve', async ({ ack, body, respond }) => {
        await ack();
        bodies.push(body as BlockAction);
        await respond({ text: 'Approved', replace_original: true });
      });
    });
    const { slack, app } = started;
    await app.client.chat.postMessage({ channel: 'tas-platform', text: 'a vote is wanted', blocks: card as never });
    const [message] = slack.messages('tas-platform');
    if (!message) throw new Error('nothing was posted');
    await slack.as('bob').select(message, 'environment', 'production');
    const outcome = await slack.as('bob').click(message, 'Approve');
    expect(outcome.confirmed).toEqual({ title: 'Approve?', text: 'It changes 3 records.' });
    await slack.waitFor('the card to be replaced', () => message.text === 'Approved');
    expect(message.edits).toMatchObject([{ text: 'a vote is wanted' }]);
    expect(bodies).toMatchObject([
      {
        user: { id: 'U0BOB0000', username: 'bob', team_id: 'T0TAS0000' },
        container: { type: 'message', message_ts: message.ts, channel_id: 'C0PLATFRM', is_ephemeral: false },
        channel: { id: 'C0PLATFRM', name: 'tas-platform' },
        message: { ts: message.ts, text: 'a vote is wanted', bot_id: 'B0TASBOT0' },
        actions: [{ type: 'button', action_id: 'approve', block_id: 'votes', value: 'token-1', style: 'primary' }],
      },
    ]);
    expect(bodies[0]?.state?.values.votes?.environment?.selected_option?.value).toBe('production');
    await expect(slack.as('bob').click(message, 'Approve')).rejects.toThrow('there is no “Approve”, there is: nothing');
    const [earlier] = message.edits;
    if (!earlier) throw new Error('no earlier form');
    await slack.as('bob').click(message, 'Approve', { seen: earlier });
    await slack.waitFor('the late click to be answered too', () => message.edits.length === 2);
  });

  it('opens a modal from a click, shows errors in it, updates it, pushes another, and closes', async () => {
    const submitted: string[] = [];
    started = await startBolt(mode, (app) => {
      app.action('reject', async ({ ack, client, body }) => {
        await ack();
        await client.views.open({ trigger_id: (body as BlockAction<ButtonAction>).trigger_id, view: modal('Reject') });
      });
      app.view('why', async ({ ack, view }) => {
        const reason = view.state.values.reason?.text?.value ?? '';
        submitted.push(reason);
        if (reason === 'no reason') await ack({ response_action: 'errors', errors: { reason: 'Say more.' } });
        else if (reason === 'update') await ack({ response_action: 'update', view: modal('Updated') });
        else if (reason === 'push') await ack({ response_action: 'push', view: modal('Pushed') });
        else if (reason === 'clear') await ack({ response_action: 'clear' });
        else await ack();
      });
    });
    const { slack, app } = started;
    await app.client.chat.postMessage({ channel: 'tas-platform', text: 'x', blocks: card as never });
    const bob = slack.as('bob');
    const [message] = slack.messages('tas-platform');
    if (!message) throw new Error('nothing was posted');
    await bob.click(message, 'Reject…');
    const view = await slack.waitFor('the modal', () => bob.views()[0]);
    expect(renderView(view)).toContain('Why not?: ____\n[Cancel] [Send]');
    await expect(bob.submit(view, {})).rejects.toThrow('Please complete this required field.');
    await expect(bob.submit(view, { text: 'no' })).rejects.toThrow('at least 3 characters');
    expect(await bob.submit(view, { text: 'no reason' })).toMatchObject({ errors: { reason: 'Say more.' }, now: view });
    const hash = view.hash;
    expect((await bob.submit(view, { text: 'update' })).now?.view.title).toMatchObject({ text: 'Updated' });
    expect(view.hash).not.toBe(hash);
    const pushed = (await bob.submit(view, { text: 'push' })).now;
    expect(pushed).toMatchObject({ rootId: view.id, previousId: view.id });
    if (!pushed) throw new Error('nothing was pushed');
    expect((await bob.submit(pushed, { reason: 'because' })).now).toBe(view);
    expect((await bob.submit(view, { text: 'clear' })).now).toBeNull();
    expect(submitted).toEqual(['no reason', 'update', 'push', 'because', 'clear']);
  });

  it('tells the app of closed modals, shortcuts, mentions, direct messages and Home tabs', async () => {
    const heard: string[] = [];
    started = await startBolt(mode, (app) => {
      app.shortcut('ask', async ({ ack, client, shortcut }) => {
        await ack();
        await client.views.open({ trigger_id: shortcut.trigger_id, view: modal('Ask', { notify_on_close: true }) });
      });
      app.shortcut('about', async ({ ack, respond, shortcut }) => {
        await ack();
        if (shortcut.type === 'message_action') await respond(`about ${shortcut.message.text}`);
      });
      app.view({ callback_id: 'why', type: 'view_closed' }, async ({ ack, body }) => {
        await ack();
        heard.push(`closed by ${(body as SlackViewAction).user.name}`);
      });
      app.event('app_mention', async ({ event, say }) => {
        await say({ text: 'yes?', thread_ts: event.ts });
      });
      app.message(async ({ message }) => {
        heard.push(`${message.channel_type}: ${'text' in message ? message.text : ''}`);
      });
      app.event('app_home_opened', async ({ event, client }) => {
        const blocks = [{ type: 'section', text: plain(`Hello ${event.tab}`) }];
        await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: blocks as never } });
      });
    });
    const { slack } = started;
    const carol = slack.as('carol');
    await carol.shortcut('ask');
    const view = await slack.waitFor('the modal', () => carol.views()[0]);
    expect(await carol.close(view)).toMatchObject({ status: 200 });
    const { message, told } = await carol.say('<@U0TASBOT0> are you there?');
    expect(told?.status).toBe(200);
    const reply = await slack.waitFor('the reply', () => slack.channel('tas-platform').thread(message)[0]);
    expect(reply.text).toBe('yes?');
    expect((await (await carol.shortcut('about', reply)).answer()).text).toBe('about yes?');
    await carol.say('psst', { channel: carol.id });
    await carol.openHome();
    const home = await slack.waitFor('the Home tab', () => carol.home());
    expect(renderView(home)).toBe('Hello home');
    expect(heard).toEqual(['closed by carol', 'im: psst']);
  });

  it('replaces and removes ephemeral messages through their response_url only', async () => {
    started = await startBolt(mode, (app) => {
      app.command('/tas', async ({ ack, client, command }) => {
        await ack();
        await client.chat.postEphemeral({
          channel: command.channel_id,
          user: command.user_id,
          text: 'sure?',
          blocks: card as never,
        });
      });
      app.action('approve', async ({ ack, body, respond }) => {
        await ack();
        if ('message' in body) throw new Error('the payload of an ephemeral message holds no message');
        await respond({ text: 'done', blocks: card.slice(1) as never, replace_original: true });
      });
      app.action('reject', async ({ ack, respond }) => {
        await ack();
        await respond({ delete_original: true } as never);
      });
    });
    const { slack } = started;
    const alice = slack.as('alice');
    const question = await (await alice.command('/tas backup')).answer();
    await expect(slack.as('bob').click(question, 'Approve')).rejects.toThrow('bob does not see this message');
    await alice.click(question, 'Approve');
    await slack.waitFor('the answer', () => question.text === 'done');
    expect(renderMessage(question)).toBe('[Approve] [Reject…] [Where? ▾]');
    await alice.click(question, 'reject');
    await slack.waitFor('it to go', () => alice.ephemerals().length === 0);
  });

  it("replaces nothing through a command's response_url: there is no original", async () => {
    started = await startBolt(mode, (app) => {
      app.command('/tas', async ({ ack, respond }) => {
        await ack();
        await respond({ text: 'a moment', response_type: 'ephemeral' });
        await respond({ text: 'the answer', response_type: 'ephemeral', replace_original: true });
      });
    });
    const { slack } = started;
    await slack.as('alice').command('/tas plan');
    await slack.waitFor('both', () => slack.as('alice').ephemerals().length === 2);
    expect(slack.as('alice').ephemerals()).toMatchObject([{ text: 'a moment', edits: [] }, { text: 'the answer' }]);
  });

  it('gives the person operation_timeout when the app does not acknowledge', async () => {
    started = await startBolt(mode, (app) => {
      app.command('/tas', async () => undefined);
    });
    const { slack } = started;
    const outcome = await slack.as('alice').command('/tas help');
    expect(outcome).toMatchObject({ status: null, error: 'operation_timeout' });
    expect(outcome.shown()[0]?.text).toBe('/tas failed with the error "operation_timeout"');
    expect(slack.latencies('slash_commands')).toMatchObject({ count: 1, failed: 1 });
  }, 20_000);
});
