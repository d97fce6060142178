import { bot, channels, groups, people, slackbot } from './people.ts';

/** Slack's mrkdwn as plain text: mentions by name, links by their words, without its marks. Code stays as it is. */
export function readable(text: string): string {
  const parts = text.split(/(```[\s\S]*?```|`[^`\n]+`)/);
  return parts.map((part) => (part.startsWith('`') ? codeText(part) : plainPart(part))).join('');
}

/** plain_text: nothing is special in it. */
export function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function codeText(part: string): string {
  return unescaped(part.replace(/^```\n?|\n?```$|^`|`$/g, ''));
}

function plainPart(text: string): string {
  const shown = text.replaceAll(/<([^<>]+)>/g, (_, inner: string) => reference(inner));
  return unescaped(withoutMarks(shown));
}

/** Marks count only around whole words, as in Slack. */
function withoutMarks(text: string): string {
  return ['\\*', '_', '~'].reduce(
    (current, mark) =>
      current.replaceAll(new RegExp(`(?<![\\w${mark}])${mark}(?=\\S)([^\\n]*?\\S)${mark}(?![\\w${mark}])`, 'g'), '$1'),
    text,
  );
}

/** What stands between angle brackets: a mention, a date or a link. */
function reference(inner: string): string {
  const [target = '', label] = inner.split('|', 2);
  if (target.startsWith('@')) return `@${nameOf(target.slice(1)) ?? label ?? target.slice(1)}`;
  if (target.startsWith('#'))
    return `#${channels.find(({ id }) => id === target.slice(1))?.name ?? label ?? target.slice(1)}`;
  if (target.startsWith('!subteam^')) {
    const id = target.replace('!subteam^', '');
    return `@${Object.values(groups).find((group) => group.id === id)?.handle ?? label ?? id}`;
  }
  if (target.startsWith('!date^')) return label ?? target;
  if (target.startsWith('!')) return `@${target.slice(1)}`;
  return label ?? target;
}

/** A person's or a bot's name by user id; null when nobody has it. */
function nameOf(userId: string): string | null {
  if (userId === bot.userId) return bot.name;
  if (userId === slackbot) return 'Slackbot';
  return Object.values(people).find(({ id }) => id === userId)?.name ?? null;
}
