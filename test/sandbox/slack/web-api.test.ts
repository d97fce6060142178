import bolt from '@slack/bolt';
import { bot, people } from '../../../sandbox/slack/people.ts';
import { type SimulatedSlack, startSlack } from '../../../sandbox/slack/slack.ts';
import { silent } from './bolt-app.ts';

type Client = InstanceType<typeof bolt.webApi.WebClient>;

let slack: SimulatedSlack;
let client: Client;
beforeEach(async () => {
  slack = await startSlack();
  client = clientWith(slack.botToken);
});
afterEach(async () => {
  await slack.stop();
});

function clientWith(token: string): Client {
  return new bolt.webApi.WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
  });
}

/** The error code of a call that must fail. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'it succeeded',
    (error: { data?: { error?: string }; code?: string }) => error.data?.error ?? error.code ?? String(error),
  );
}

const channel = 'C0PLATFRM';
const section = (text: string) => ({ type: 'section' as const, text: { type: 'mrkdwn' as const, text } });

describe('tokens', () => {
  it('are looked at before anything else', async () => {
    expect(await codeOf(clientWith('').auth.test())).toBe('not_authed');
    expect(await codeOf(clientWith('xoxb-other').chat.postMessage({ channel, text: 'x' }))).toBe('invalid_auth');
    expect(await codeOf(clientWith(slack.appToken).auth.test())).toBe('not_allowed_token_type');
    expect(await codeOf(client.apps.connections.open())).toBe('not_allowed_token_type');
    expect(await codeOf(client.apiCall('chat.postMassage'))).toBe('unknown_method');
    expect(await client.auth.test()).toMatchObject({ ok: true, user_id: bot.userId, bot_id: bot.botId });
    expect(slack.calls.every(({ fields }) => fields.token === undefined)).toBe(true);
  });

  it('need the scope of the method, when scopes were given', async () => {
    await slack.stop();
    slack = await startSlack({ scopes: ['chat:write'] });
    client = clientWith(slack.botToken);
    expect(await codeOf(client.users.list({}))).toBe('missing_scope');
    expect(await client.chat.postMessage({ channel, text: 'x' })).toMatchObject({ ok: true });
  });
});

describe('bodies', () => {
  const send = async (type: string, body: string) => {
    const headers = { authorization: `Bearer ${slack.botToken}`, 'content-type': type };
    return (await fetch(`${slack.apiUrl}chat.postMessage`, { method: 'POST', headers, body })).json();
  };

  it('may be JSON or a form', async () => {
    const blocks = [section('hi')];
    const json = JSON.stringify({ channel, text: 'json', blocks });
    const form = new URLSearchParams({ channel, text: 'form', blocks: JSON.stringify(blocks) }).toString();
    expect(await send('application/json; charset=utf-8', json)).toMatchObject({ ok: true, message: { text: 'json' } });
    expect(await send('application/x-www-form-urlencoded', form)).toMatchObject({
      ok: true,
      message: { text: 'form' },
    });
    expect(slack.messages(channel).map((message) => message.blocks.length)).toEqual([1, 1]);
  });

  it.each([
    ['application/json', '{', 'invalid_json'],
    ['application/json', '[]', 'json_not_object'],
    ['text/csv', 'a,b', 'invalid_post_type'],
    ['application/x-www-form-urlencoded', 'channel=C0PLATFRM&blocks=%7B', 'invalid_blocks_format'],
  ])('of %s saying %s are refused as %s', async (type, body, error) => {
    expect(await send(type, body)).toMatchObject({ ok: false, error });
  });
});

describe('posts', () => {
  it.each([
    ['an unknown channel', { channel: 'nowhere', text: 'x' }, 'channel_not_found'],
    ['nothing', { channel, text: '' }, 'no_text'],
    ['more than 40,000 characters', { channel, text: 'x'.repeat(40_001) }, 'msg_too_long'],
    ['an empty section', { channel, text: 'x', blocks: [section('')] }, 'invalid_blocks'],
    [
      'too much in all',
      { channel, text: 'x', blocks: Array(5).fill(section('x'.repeat(2900))) },
      'msg_blocks_too_long',
    ],
    ['an unknown thread', { channel, text: 'x', thread_ts: '1.000001' }, 'cannot_reply_to_message'],
    ['half of metadata', { channel, text: 'x', metadata: { event_type: 'run' } as never }, 'invalid_metadata_format'],
    ['no channel at all', { text: 'x' } as never, 'invalid_arguments'],
  ])('of %s are refused', async (_, message, error) => {
    expect(await codeOf(client.chat.postMessage(message))).toBe(error);
    expect(slack.messages(channel)).toEqual([]);
  });

  it('name each fault of their blocks', async () => {
    const failed = client.chat.postMessage({
      channel,
      text: 'x',
      blocks: [section(''), { type: 'divider', x: 1 } as never],
    });
    await expect(failed).rejects.toMatchObject({
      data: {
        response_metadata: {
          messages: [
            '[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]',
            '[ERROR] invalid additional property: x [json-pointer:/blocks/1]',
          ],
        },
      },
    });
  });

  it('need the bot in the channel, and the channel alive', async () => {
    slack.channel('general').expel(bot.userId);
    expect(await codeOf(client.chat.postMessage({ channel: '#general', text: 'x' }))).toBe('not_in_channel');
    expect(await codeOf(client.conversations.history({ channel: 'C0GENERAL' }))).toBe('not_in_channel');
    await client.conversations.join({ channel: 'C0GENERAL' });
    expect(await client.chat.postMessage({ channel: '#general', text: 'x' })).toMatchObject({ channel: 'C0GENERAL' });
    slack.channel('general').archive();
    expect(await codeOf(client.chat.postMessage({ channel: '#general', text: 'x' }))).toBe('is_archived');
  });

  it('are changed by their author only, with what was said before kept in view', async () => {
    const { ts = '' } = await client.chat.postMessage({ channel, text: 'one', blocks: [section('one')] });
    const [message] = slack.messages(channel);
    await client.chat.update({ channel, ts, text: 'two', blocks: [section('two')] });
    expect(message).toMatchObject({ text: 'two', edits: [{ text: 'one' }] });
    await client.chat.update({ channel, ts, text: 'three' });
    expect(message?.blocks).toEqual([]);
    expect(await codeOf(client.chat.update({ channel, ts, text: 'x'.repeat(4_001) }))).toBe('msg_too_long');
    expect(await codeOf(client.chat.update({ channel: '#tas-platform', ts, text: 'x' }))).toBe('channel_not_found');
    expect(await codeOf(client.chat.update({ channel, ts: '1.000001', text: 'x' }))).toBe('message_not_found');
    const { message: hers } = await slack.as('alice').say('hello');
    expect(await codeOf(client.chat.update({ channel, ts: hers.ts, text: 'x' }))).toBe('cant_update_message');
    expect(await codeOf(client.chat.delete({ channel, ts: hers.ts }))).toBe('cant_delete_message');
    await client.chat.delete({ channel, ts });
    expect(await codeOf(client.chat.update({ channel, ts, text: 'x' }))).toBe('message_not_found');
    expect(slack.messages(channel)).toEqual([hers]);
  });

  it('that are ephemeral go to one member, and cannot be changed', async () => {
    const { message_ts: ts = '' } = await client.chat.postEphemeral({ channel, user: people.carol.id, text: 'psst' });
    expect(slack.channel(channel).ephemeralsOf('carol')).toMatchObject([{ text: 'psst', ts }]);
    expect(slack.messages(channel)).toEqual([]);
    expect(await codeOf(client.chat.update({ channel, ts, text: 'x' }))).toBe('message_not_found');
    slack.channel(channel).expel(people.carol.id);
    const again = client.chat.postEphemeral({ channel, user: people.carol.id, text: 'psst' });
    expect(await codeOf(again)).toBe('user_not_in_channel');
    expect(await codeOf(client.chat.postEphemeral({ channel, user: 'U0NOBODY0', text: 'x' }))).toBe('user_not_found');
  });
});

describe('reading', () => {
  it('pages through history, newest first, with threads and metadata apart', async () => {
    const first = await client.chat.postMessage({
      channel,
      text: 'm0',
      metadata: { event_type: 'run', event_payload: { id: 'r1' } },
    });
    for (const text of ['m1', 'm2']) await client.chat.postMessage({ channel, text });
    await client.chat.postMessage({ channel, text: 'reply', thread_ts: first.ts as string });
    const page = await client.conversations.history({ channel, limit: 2 });
    expect(page.messages?.map(({ text }) => text)).toEqual(['m2', 'm1']);
    const cursor = page.response_metadata?.next_cursor ?? '';
    const rest = await client.conversations.history({ channel, limit: 2, cursor, include_all_metadata: true });
    expect(rest).toMatchObject({
      has_more: false,
      messages: [{ text: 'm0', reply_count: 1, metadata: { event_type: 'run' } }],
    });
    const thread = await client.conversations.replies({ channel, ts: first.ts as string });
    expect(thread.messages?.map(({ text }) => text)).toEqual(['m0', 'reply']);
    expect(await codeOf(client.conversations.replies({ channel, ts: '1.000001' }))).toBe('thread_not_found');
    const { permalink } = await client.chat.getPermalink({ channel, message_ts: first.ts as string });
    expect(permalink).toBe(`https://tas-sandbox.slack.com/archives/${channel}/p${first.ts?.replace('.', '')}`);
  });

  it('knows the people, their groups and the channels', async () => {
    expect(await client.users.info({ user: people.dana.id })).toMatchObject({ user: { name: 'dana', is_bot: false } });
    expect(await codeOf(client.users.info({ user: 'U0NOBODY0' }))).toBe('user_not_found');
    expect(await client.users.lookupByEmail({ email: 'bob@example.test' })).toMatchObject({
      user: { id: people.bob.id },
    });
    expect(await codeOf(client.users.lookupByEmail({ email: 'x@example.test' }))).toBe('users_not_found');
    const names: (string | undefined)[] = [];
    for await (const page of client.paginate('users.list', { limit: 3 })) {
      names.push(...((page as { members?: unknown }).members as { name: string }[]).map(({ name }) => name));
    }
    expect(names).toEqual(['alice', 'erin', 'bob', 'dana', 'carol', 'mallory', 'tas']);
    const { usergroups } = await client.usergroups.list({ include_users: true });
    expect(usergroups?.map(({ handle, users }) => [handle, users?.length])).toEqual([
      ['tas-operators', 2],
      ['tas-approvers', 2],
      ['tas-viewers', 1],
    ]);
    slack.setMembers('S0APPROVE', [people.erin.id]);
    expect((await client.usergroups.users.list({ usergroup: 'S0APPROVE' })).users).toEqual([people.erin.id]);
    expect(await codeOf(client.usergroups.users.list({ usergroup: 'S0NOTHING' }))).toBe('no_such_subteam');
    const { channels } = await client.conversations.list();
    expect(channels?.map(({ name, is_member }) => [name, is_member])).toEqual([
      ['tas-platform', true],
      ['general', true],
    ]);
  });
});

describe('views', () => {
  it('need a trigger to open, and a Home tab goes to one person', async () => {
    const view = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'x' }, blocks: [section('x')] };
    expect(await codeOf(client.views.open({ trigger_id: 'made up', view }))).toBe('invalid_trigger_id');
    expect(await codeOf(client.views.update({ view_id: 'V0', view }))).toBe('not_found');
    expect(await codeOf(client.views.publish({ user_id: people.bob.id, view: view as never }))).toBe(
      'invalid_arguments',
    );
    await client.views.publish({ user_id: people.bob.id, view: { type: 'home', blocks: [section('hello')] } });
    expect(slack.as('bob').home()?.view.blocks).toMatchObject([{ text: { text: 'hello' } }]);
    const hash = slack.as('bob').home()?.hash ?? '';
    const home = { type: 'home' as const, blocks: [section('again')] };
    await client.views.publish({ user_id: people.bob.id, view: home, hash });
    expect(await codeOf(client.views.publish({ user_id: people.bob.id, view: home, hash }))).toBe('hash_conflict');
  });
});

describe('marks and files', () => {
  it('are put on messages once', async () => {
    const { ts = '' } = await client.chat.postMessage({ channel, text: 'x' });
    await client.reactions.add({ channel, timestamp: ts, name: 'eyes' });
    expect(await codeOf(client.reactions.add({ channel, timestamp: ts, name: 'eyes' }))).toBe('already_reacted');
    await client.pins.add({ channel, timestamp: ts });
    expect(await codeOf(client.pins.add({ channel, timestamp: ts }))).toBe('already_pinned');
    expect(slack.channel(channel).pinned()).toMatchObject([{ ts, reactions: [{ name: 'eyes', users: [bot.userId] }] }]);
  });

  it('are uploaded in the three steps of the client, and shared in the channel', async () => {
    await client.files.uploadV2({
      channel_id: channel,
      filename: 'report.csv',
      file: Buffer.from('a,b\n1,2\n'),
      title: 'Report',
    });
    expect(slack.messages(channel)).toMatchObject([{ files: [{ name: 'report.csv', title: 'Report' }] }]);
    expect(await codeOf(client.files.completeUploadExternal({ files: [{ id: 'F0NOTHING' }] }))).toBe('file_not_found');
  });
});

describe('direct messages', () => {
  it('are opened by the user id, and notify', async () => {
    const { channel: direct } = await client.conversations.open({ users: people.erin.id });
    await client.chat.postMessage({ channel: direct?.id ?? '', text: 'one' });
    await client.chat.postMessage({ channel: people.erin.id, text: 'two' });
    expect(
      slack
        .as('erin')
        .notifications()
        .map(({ text }) => text),
    ).toEqual(['one', 'two']);
    expect(slack.as('erin').sees(people.erin.id)).toHaveLength(2);
    expect(slack.as('alice').sees(people.erin.id)).toEqual([]);
  });
});

describe('notifications', () => {
  it('come of mentions in new messages: by name, by group and of all; of the blocks, where there are some', async () => {
    const told = () =>
      (Object.keys(people) as (keyof typeof people)[]).filter((name) => slack.as(name).notifications().length > 0);
    await client.chat.postMessage({ channel, text: '<@U0CAROL00>', blocks: [section('nobody is named here')] });
    expect(told()).toEqual([]);
    const { ts = '' } = await client.chat.postMessage({
      channel,
      text: 'x',
      blocks: [section('<!subteam^S0APPROVE>')],
    });
    expect(told()).toEqual(['bob', 'dana']);
    await client.chat.update({ channel, ts, text: 'x', blocks: [section('<@U0ALICE00>')] });
    await client.chat.postEphemeral({ channel, user: people.alice.id, text: '<@U0ALICE00>' });
    expect(told()).toEqual(['bob', 'dana']);
    slack.channel(channel).expel(people.erin.id);
    await client.chat.postMessage({ channel, text: '<!channel>' });
    expect(told()).toEqual(['alice', 'bob', 'dana', 'carol', 'mallory']);
  });
});

describe('troubles that tests order', () => {
  it('come once, for the method that was named', async () => {
    slack.limitOnce('chat.postMessage', 7);
    await expect(client.chat.postMessage({ channel, text: 'x' })).rejects.toMatchObject({ retryAfter: 7 });
    slack.failOnce('chat.postMessage', 'internal_error');
    expect(await codeOf(client.chat.postMessage({ channel, text: 'x' }))).toBe('internal_error');
    expect(slack.messages(channel)).toEqual([]);
    slack.loseAnswerOnce('chat.postMessage');
    expect(await codeOf(client.chat.postMessage({ channel, text: 'lost' }))).toBe('slack_webapi_request_error');
    expect(slack.messages(channel)).toMatchObject([{ text: 'lost' }]);
    expect(await client.chat.postMessage({ channel, text: 'x' })).toMatchObject({ ok: true });
  });

  it('cut everything while Slack is down, and nothing after', async () => {
    slack.goDown();
    expect(await codeOf(client.auth.test())).toBe('slack_webapi_request_error');
    slack.comeBack();
    expect(await client.auth.test()).toMatchObject({ ok: true });
  });
});
