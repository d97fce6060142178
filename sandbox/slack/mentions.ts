import { isObject } from './limits/rules.ts';
import type { Message } from './message.ts';

/** Whom a text addresses: user ids, group ids, and `here` or `channel` for everybody in the channel. */
interface Addressed {
  readonly users: readonly string[];
  readonly groups: readonly string[];
  readonly everybody: boolean;
}

/**
 * Whom a new message notifies, by user id. Where there are blocks, mentions count in their mrkdwn only: the text is then
 * what the notification says. Only members of the channel are notified; ephemeral messages notify nobody.
 */
export function notifiedBy(
  message: Pick<Message, 'channel' | 'user' | 'text' | 'blocks' | 'onlyFor'>,
  channelMembers: Iterable<string>,
  groupMembers: (group: string) => readonly string[],
): Set<string> {
  if (message.onlyFor !== null) return new Set();
  const members = new Set(channelMembers);
  members.delete(message.user);
  if (message.channel.startsWith('D')) return members;
  const { users, groups, everybody } = addressed(message.blocks.length > 0 ? mrkdwnIn(message.blocks) : message.text);
  if (everybody) return members;
  return new Set([...users, ...groups.flatMap(groupMembers)].filter((user) => members.has(user)));
}

function addressed(text: string): Addressed {
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');
  return {
    users: all(/<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g),
    groups: all(/<!subteam\^(S[A-Z0-9]+)(?:\|[^>]*)?>/g),
    everybody: /<!(here|channel|everyone)(\|[^>]*)?>/.test(text),
  };
}

/** The texts in there in which Slack looks for mentions. */
function mrkdwnIn(value: unknown): string {
  if (Array.isArray(value)) return value.map(mrkdwnIn).join('\n');
  if (!isObject(value)) return '';
  if (value.type === 'mrkdwn' || value.type === 'markdown') return String(value.text);
  if (value.type === 'user') return `<@${String(value.user_id)}>`;
  if (value.type === 'usergroup') return `<!subteam^${String(value.usergroup_id)}>`;
  return Object.values(value).map(mrkdwnIn).join('\n');
}
