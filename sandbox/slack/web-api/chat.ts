import { blockErrors } from '../limits/blocks.ts';
import { bot } from '../people.ts';
import type { Message } from '../workspace.ts';
import { type Answer, type Call, done, type Fields, fail, jsonOf, type Method, textOf } from './answer.ts';

const mostText = 40_000;

/** Checks text and blocks as Slack does. Answers the fault, or the content. */
export function contentOf(fields: Fields): { fault: Answer } | { text: string; blocks: Record<string, unknown>[] } {
  const text = textOf(fields, 'text');
  const blocks = jsonOf(fields, 'blocks');
  if (text.length > mostText) return { fault: fail('msg_too_long') };
  if (blocks === undefined || (Array.isArray(blocks) && blocks.length === 0)) {
    return text === '' ? { fault: fail('no_text') } : { text, blocks: [] };
  }
  const errors = blockErrors(blocks, 50);
  if (errors.length > 0)
    return {
      fault: fail('invalid_blocks', {
        errors,
        response_metadata: { messages: errors.map((error) => `[ERROR] ${error}`) },
      }),
    };
  return { text, blocks: blocks as Record<string, unknown>[] };
}

const postMessage: Method = ({ workspace, fields }) => {
  const channel = workspace.channelId(textOf(fields, 'channel'));
  if (channel === null) return fail('channel_not_found');
  const content = contentOf(fields);
  if ('fault' in content) return content.fault;
  const threadTs = textOf(fields, 'thread_ts') || null;
  const message = workspace.post({
    channel,
    user: bot.userId,
    ...content,
    threadTs,
    metadata: jsonOf(fields, 'metadata') ?? null,
  });
  return done({ channel, ts: message.ts, message: asSlack(message) });
};

const update: Method = ({ workspace, fields }) => {
  const message = findMessage(workspace.messages, workspace.channelId(textOf(fields, 'channel')), textOf(fields, 'ts'));
  if (!message || message.onlyFor !== null) return fail('message_not_found');
  if (message.user !== bot.userId) return fail('cant_update_message');
  const content = contentOf(fields);
  if ('fault' in content) return content.fault;
  workspace.edit(message, content.text, content.blocks);
  const metadata = jsonOf(fields, 'metadata');
  if (metadata) message.metadata = metadata;
  return done({ channel: message.channel, ts: message.ts, text: content.text, message: asSlack(message) });
};

const remove: Method = ({ workspace, fields }) => {
  const message = findMessage(workspace.messages, workspace.channelId(textOf(fields, 'channel')), textOf(fields, 'ts'));
  if (!message) return fail('message_not_found');
  message.deleted = true;
  workspace.changed();
  return done({ channel: message.channel, ts: message.ts });
};

const postEphemeral: Method = ({ workspace, fields }) => {
  const channel = workspace.channelId(textOf(fields, 'channel'));
  if (channel === null) return fail('channel_not_found');
  const content = contentOf(fields);
  if ('fault' in content) return content.fault;
  const message = workspace.post({
    channel,
    user: bot.userId,
    ...content,
    threadTs: textOf(fields, 'thread_ts') || null,
    onlyFor: textOf(fields, 'user'),
  });
  return done({ message_ts: message.ts });
};

const getPermalink: Method = ({ workspace, fields }: Call) => {
  const channel = workspace.channelId(textOf(fields, 'channel'));
  const message = findMessage(workspace.messages, channel, textOf(fields, 'message_ts'));
  if (!message) return fail('message_not_found');
  return done({
    channel,
    permalink: `https://tas-sandbox.slack.com/archives/${channel}/p${message.ts.replace('.', '')}`,
  });
};

export const chatMethods: Readonly<Record<string, Method>> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
  'chat.getPermalink': getPermalink,
};

export function findMessage(messages: readonly Message[], channel: string | null, ts: string): Message | undefined {
  return messages.find((message) => message.channel === channel && message.ts === ts && !message.deleted);
}

/** A message as the Web API and interaction payloads show it. */
export function asSlack(message: Message): Record<string, unknown> {
  return {
    type: 'message',
    user: message.user,
    ...(message.user === bot.userId ? { bot_id: bot.botId, app_id: bot.appId } : {}),
    ts: message.ts,
    text: message.text,
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs }),
    ...(message.metadata === null ? {} : { metadata: message.metadata }),
    ...(message.edits.length > 0 ? { edited: { user: message.user, ts: message.ts } } : {}),
  };
}
