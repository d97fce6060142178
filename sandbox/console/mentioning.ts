import { bot, people } from '../slack/people.ts';

/** What somebody typed, as Slack stores it: its three characters escaped, `@name` of a member as a mention. */
export function mentioning(typed: string): string {
  const escaped = typed.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.replaceAll(/(?<![\w@])@(\w+)/g, (whole, name: string) => {
    const userId = name === bot.name ? bot.userId : Object.values(people).find((person) => person.name === name)?.id;
    return userId === undefined ? whole : `<@${userId}>`;
  });
}
