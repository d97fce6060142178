import type { Message } from '../message.ts';
import { bot, people } from '../people.ts';
import { type Channel, directChannel } from '../workspace.ts';
import { type Call, channelOf, done, fail, isTrue, type Method, missing, page, textOf } from './call.ts';
import { messageAsSlack } from './content.ts';

function channelAsSlack(channel: Channel): Record<string, unknown> {
  if (channel.isDirect) {
    const user = [...channel.members].find((id) => id !== bot.userId);
    return { id: channel.id, is_im: true, is_channel: false, user, is_open: true };
  }
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: true,
    is_group: false,
    is_im: false,
    is_mpim: false,
    is_private: false,
    is_general: channel.name === 'general',
    is_archived: channel.isArchived,
    is_member: channel.members.has(bot.userId),
    num_members: channel.members.size,
  };
}

const list: Method = ({ workspace, fields }) => {
  const types = (textOf(fields, 'types') || 'public_channel').split(',').map((type) => type.trim());
  const wanted = [...workspace.channels.values()].filter(
    (channel) =>
      types.includes(channel.isDirect ? 'im' : 'public_channel') &&
      !(channel.isArchived && isTrue(fields, 'exclude_archived')),
  );
  const { items, next } = page(wanted, fields);
  return done({ channels: items.map(channelAsSlack), response_metadata: { next_cursor: next } });
};

const info: Method = (call) => {
  const channel = channelOf(call);
  return 'refused' in channel ? channel.refused : done({ channel: channelAsSlack(channel) });
};

const members: Method = (call) => {
  const channel = channelOf(call);
  if ('refused' in channel) return channel.refused;
  const { items, next } = page([...channel.members], call.fields);
  return done({ members: items, response_metadata: { next_cursor: next } });
};

function within(call: Call, message: Message): boolean {
  const oldest = Number(textOf(call.fields, 'oldest') || 0);
  const latest = Number(textOf(call.fields, 'latest') || Number.MAX_SAFE_INTEGER);
  const ts = Number(message.ts);
  return isTrue(call.fields, 'inclusive') ? ts >= oldest && ts <= latest : ts > oldest && ts < latest;
}

/** A message with what is known of its thread. */
function withThread(call: Call, message: Message): Record<string, unknown> {
  const shown = messageAsSlack(message, { metadata: isTrue(call.fields, 'include_all_metadata') });
  const replies = visible(call, message.channel).filter(({ threadTs }) => threadTs === message.ts);
  if (replies.length === 0) return shown;
  const users = [...new Set(replies.map(({ user }) => user))];
  const counts = { reply_count: replies.length, reply_users_count: users.length, reply_users: users };
  return { ...shown, thread_ts: message.ts, ...counts, latest_reply: replies.at(-1)?.ts };
}

function visible(call: Call, channel: string): Message[] {
  return call.workspace.messages.filter(
    (message) => message.channel === channel && !message.deleted && message.onlyFor === null,
  );
}

const history: Method = (call) => {
  const channel = channelOf(call);
  if ('refused' in channel) return channel.refused;
  if (!channel.members.has(bot.userId)) return fail('not_in_channel');
  const found = visible(call, channel.id).filter((message) => message.threadTs === null && within(call, message));
  const { items, next } = page(found.reverse(), call.fields);
  const messages = items.map((message) => withThread(call, message));
  return done({
    messages,
    has_more: next !== '',
    pin_count: channel.pins.size,
    response_metadata: { next_cursor: next },
  });
};

const replies: Method = (call) => {
  const absent = missing(call.fields, 'channel', 'ts');
  if (absent) return absent;
  const channel = channelOf(call);
  if ('refused' in channel) return channel.refused;
  if (!channel.members.has(bot.userId)) return fail('not_in_channel');
  const ts = textOf(call.fields, 'ts');
  const all = visible(call, channel.id);
  const parent = all.find((message) => message.ts === ts);
  if (!parent) return fail('thread_not_found');
  const thread = all.filter(({ threadTs }) => threadTs === (parent.threadTs ?? parent.ts));
  const root = all.find((message) => message.ts === (parent.threadTs ?? parent.ts)) ?? parent;
  const { items, next } = page([root, ...thread.filter((message) => within(call, message))], call.fields, 1000);
  const messages = items.map((message) => withThread(call, message));
  return done({ messages, has_more: next !== '', response_metadata: { next_cursor: next } });
};

const open: Method = ({ workspace, fields }) => {
  const users = textOf(fields, 'users').split(',').filter(Boolean);
  const given = textOf(fields, 'channel');
  if (users.length === 0 && given === '') return fail('users_list_not_supplied');
  if (users.length > 1) return fail('method_not_supported_for_channel_type');
  const person = Object.values(people).find(({ id }) => id === users[0] || directChannel(id) === given);
  if (!person) return fail(given === '' ? 'user_not_found' : 'channel_not_found');
  const channel = workspace.channel(person.id);
  const details = channel && isTrue(fields, 'return_im') ? channelAsSlack(channel) : { id: directChannel(person.id) };
  return done({ channel: details });
};

const join: Method = (call) => {
  const channel = channelOf(call);
  if ('refused' in channel) return channel.refused;
  if (channel.isArchived) return fail('is_archived');
  if (channel.isDirect) return fail('method_not_supported_for_channel_type');
  const already = channel.members.has(bot.userId);
  channel.members.add(bot.userId);
  return done({ channel: channelAsSlack(channel), ...(already ? { warning: 'already_in_channel' } : {}) });
};

export const conversationMethods: Readonly<Record<string, Method>> = {
  'conversations.list': list,
  'conversations.info': info,
  'conversations.members': members,
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.open': open,
  'conversations.join': join,
};
