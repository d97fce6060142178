import { bot } from '../people.ts';
import { channelOf, done, fail, type Method, missing, textOf } from './call.ts';

const addReaction: Method = (call) => {
  const absent = missing(call.fields, 'channel', 'name', 'timestamp');
  if (absent) return absent;
  const name = textOf(call.fields, 'name');
  if (!/^[a-z0-9_+'-]+$/.test(name)) return fail('invalid_name');
  const channel = channelOf(call);
  if ('refused' in channel) return channel.refused;
  const message = call.workspace.find(channel.id, textOf(call.fields, 'timestamp'));
  if (!message || message.onlyFor !== null) return fail('message_not_found');
  const already = message.reactions.some((reaction) => reaction.name === name && reaction.users.includes(bot.userId));
  if (already) return fail('already_reacted');
  call.workspace.react(message, name, bot.userId);
  return done();
};

const addPin: Method = (call) => {
  const absent = missing(call.fields, 'channel', 'timestamp');
  if (absent) return absent;
  const channel = channelOf(call);
  if ('refused' in channel) return channel.refused;
  if (!channel.members.has(bot.userId)) return fail('not_in_channel');
  const message = call.workspace.find(channel.id, textOf(call.fields, 'timestamp'));
  if (!message || message.onlyFor !== null) return fail('message_not_found');
  if (channel.pins.has(message.ts)) return fail('already_pinned');
  channel.pins.add(message.ts);
  call.workspace.changed();
  return done();
};

export const markMethods: Readonly<Record<string, Method>> = { 'reactions.add': addReaction, 'pins.add': addPin };
