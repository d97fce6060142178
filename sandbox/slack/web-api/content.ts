import { areTooLong, blockErrors } from '../limits/blocks.ts';
import { isObject } from '../limits/rules.ts';
import type { Block, Message } from '../message.ts';
import { bot, team } from '../people.ts';
import { type Answer, type Fields, fail, failWith, jsonOf, textOf } from './call.ts';

export interface Content {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly metadata?: unknown;
}

/** Most characters of the text of a new message, and of one that is edited. */
export const mostText = { post: 40_000, update: 4_000 } as const;

/** Checks text, blocks and metadata as Slack does. Answers the refusal, or the content. */
export function contentOf(fields: Fields, most: number = mostText.post): { readonly refused: Answer } | Content {
  const text = textOf(fields, 'text');
  if (text.length > most) return { refused: fail('msg_too_long') };
  const blocks = jsonOf(fields, 'blocks') ?? (fields.blocks === undefined ? [] : null);
  if (!Array.isArray(blocks)) return { refused: fail('invalid_blocks_format') };
  const faults = blockErrors(blocks, 50);
  if (faults.length === 1 && areTooLong(blocks)) return { refused: fail('msg_blocks_too_long') };
  if (faults.length > 0) return { refused: failWith('invalid_blocks', faults) };
  if (text === '' && blocks.length === 0) return { refused: fail('no_text') };
  const metadata = jsonOf(fields, 'metadata');
  if (metadata === undefined) return { text, blocks: blocks as Block[] };
  const fits = isObject(metadata) && typeof metadata.event_type === 'string' && isObject(metadata.event_payload);
  return fits ? { text, blocks: blocks as Block[], metadata } : { refused: fail('invalid_metadata_format') };
}

/** A message as the Web API and interaction payloads show it. */
export function messageAsSlack(message: Message, options: { metadata?: boolean } = {}): Record<string, unknown> {
  const fromBot = message.user === bot.userId;
  const last = message.edits.at(-1);
  return {
    type: 'message',
    user: message.user,
    ...(fromBot ? { bot_id: bot.botId, app_id: bot.appId } : {}),
    team: team.id,
    ts: message.ts,
    text: message.text,
    ...(message.blocks.length > 0 ? { blocks: message.blocks } : {}),
    ...(message.files.length > 0 ? { files: message.files } : {}),
    ...(message.threadTs === null ? {} : { thread_ts: message.threadTs, parent_user_id: bot.userId }),
    ...(options.metadata && message.metadata !== null ? { metadata: message.metadata } : {}),
    ...(last ? { edited: { user: message.user, ts: `${Math.floor(last.until / 1000)}.000000` } } : {}),
    ...(message.reactions.length > 0
      ? { reactions: message.reactions.map(({ name, users }) => ({ name, users, count: users.length })) }
      : {}),
  };
}
