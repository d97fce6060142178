import type { Message } from '../message.ts';
import { bot, people, team } from '../people.ts';
import type { Channel } from '../workspace.ts';
import { type Answer, type Call, channelOf, done, fail, type Method, missing, textOf } from './call.ts';
import { contentOf, messageAsSlack, mostText } from './content.ts';

/** A channel that the bot may write to, or the refusal. */
function writable(call: Call, by: 'id' | 'any'): Channel | { readonly refused: Answer } {
  const channel = channelOf(call, by);
  if ('refused' in channel) return channel;
  if (channel.isArchived) return { refused: fail('is_archived') };
  return channel.members.has(bot.userId) ? channel : { refused: fail('not_in_channel') };
}

/** The thread that a new message belongs to: a reply to a reply goes to the same thread. Undefined = no such message. */
function threadOf(call: Call, channel: Channel): string | null | undefined {
  const ts = textOf(call.fields, 'thread_ts');
  if (ts === '') return null;
  const parent = call.workspace.find(channel.id, ts);
  return parent && parent.onlyFor === null ? (parent.threadTs ?? parent.ts) : undefined;
}

const postMessage: Method = (call) => {
  const absent = missing(call.fields, 'channel');
  if (absent) return absent;
  const channel = writable(call, 'any');
  if ('refused' in channel) return channel.refused;
  const content = contentOf(call.fields);
  if ('refused' in content) return content.refused;
  const threadTs = threadOf(call, channel);
  if (threadTs === undefined) return fail('cannot_reply_to_message');
  const message = call.workspace.post({ channel: channel.id, user: bot.userId, threadTs, ...content });
  return done({ channel: channel.id, ts: message.ts, message: messageAsSlack(message, { metadata: true }) });
};

const postEphemeral: Method = (call) => {
  const absent = missing(call.fields, 'channel', 'user');
  if (absent) return absent;
  const channel = writable(call, 'any');
  if ('refused' in channel) return channel.refused;
  const onlyFor = textOf(call.fields, 'user');
  if (!Object.values(people).some(({ id }) => id === onlyFor)) return fail('user_not_found');
  if (!channel.members.has(onlyFor)) return fail('user_not_in_channel');
  const content = contentOf(call.fields);
  if ('refused' in content) return content.refused;
  const threadTs = threadOf(call, channel) ?? null;
  const message = call.workspace.post({ channel: channel.id, user: bot.userId, threadTs, onlyFor, ...content });
  return done({ message_ts: message.ts });
};

/** The message that the call names and that everybody sees, or the refusal. */
function named(
  call: Call,
  field = 'ts',
): { readonly channel: Channel; readonly message: Message } | { readonly refused: Answer } {
  const absent = missing(call.fields, 'channel', field);
  if (absent) return { refused: absent };
  const channel = channelOf(call);
  if ('refused' in channel) return channel;
  const message = call.workspace.find(channel.id, textOf(call.fields, field));
  return message && message.onlyFor === null ? { channel, message } : { refused: fail('message_not_found') };
}

/** A text without blocks takes the blocks away; blocks alone keep the text out of sight. */
const update: Method = (call) => {
  const found = named(call);
  if ('refused' in found) return found.refused;
  const { channel, message } = found;
  if (channel.isArchived) return fail('is_archived');
  if (message.user !== bot.userId) return fail('cant_update_message');
  const content = contentOf(call.fields, mostText.update);
  if ('refused' in content) return content.refused;
  call.workspace.edit(message, content.text, content.blocks, content.metadata);
  return done({ channel: channel.id, ts: message.ts, text: content.text, message: messageAsSlack(message) });
};

const remove: Method = (call) => {
  const found = named(call);
  if ('refused' in found) return found.refused;
  if (found.message.user !== bot.userId) return fail('cant_delete_message');
  call.workspace.remove(found.message);
  return done({ channel: found.channel.id, ts: found.message.ts });
};

const getPermalink: Method = (call) => {
  const found = named(call, 'message_ts');
  if ('refused' in found) return found.refused;
  const { channel, message } = found;
  const thread = message.threadTs === null ? '' : `?thread_ts=${message.threadTs}&cid=${channel.id}`;
  const permalink = `https://${team.domain}.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
  return done({ channel: channel.id, permalink });
};

export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': postMessage,
  'chat.postEphemeral': postEphemeral,
  'chat.update': update,
  'chat.delete': remove,
  'chat.getPermalink': getPermalink,
};
