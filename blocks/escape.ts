/** Everything that comes from data passes here before it is put into mrkdwn: it must neither mention, link nor pretend. */

/** Keeps words apart for Slack's parser and is not seen. */
const joiner = '\u2060';

/** One line of data as plain words: no mention, link, emoji, format, line break, control or direction mark works in it. */
export function plain(data: string, limit = 300): string {
  const clean = tidy(data, limit)
    .replaceAll('*', '∗')
    .replaceAll('~', '∼')
    .replaceAll('`', 'ʹ')
    // Italics need an underscore that opens them, before a word: without it one that ends a word stays what it is.
    .replace(/(?<![\p{L}\p{N}])_/gu, 'ˍ')
    .replace(/:(?=[\w+'-]+:)/g, `:${joiner}`)
    .replace(/@(?=here|channel|everyone|group)/gi, `@${joiner}`);
  return entities(clean);
}

/** Data as it stands, in a code span: for ids and names that people copy. */
export function code(data: string, limit = 120): string {
  const clean = tidy(data, limit).replaceAll('`', 'ʹ');
  return clean.trim() === '' ? '` `' : `\`${entities(clean)}\``;
}

/** Our own messages put names between backticks: these become code spans, everything else is plain words. */
export function ticked(text: string): string {
  return text
    .slice(0, 1200)
    .split('`')
    .map((part, index, parts) => (index % 2 === 1 && index < parts.length - 1 ? code(part, 200) : aroundTicks(part)))
    .join('');
}

function aroundTicks(part: string): string {
  const edges = /^(\s*)(.*?)(\s*)$/s.exec(part);
  return `${edges?.[1] === '' ? '' : ' '}${plain(edges?.[2] ?? '', 1000)}${edges?.[3] === '' ? '' : ' '}`;
}

/** Data for places that know no format (buttons, dialogs, modal titles): one line, cleaned, not escaped. */
export function bare(data: string, limit = 150): string {
  return tidy(data, limit);
}

/** A mention of a person by Slack id, or the plain text when it is no such id (schedules, the terminal). */
export function mentionUser(id: string): string {
  return /^[UW][A-Z0-9]{1,30}$/.test(id) ? `<@${id}>` : plain(id, 80);
}

/** A link to a page that the configuration names; anything but an https address is shown as it stands. */
export function linkTo(address: string, words: string): string {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:' || url.href.length > 1_000) return code(address, 500);
  return `<${entities(url.href).replaceAll('|', '%7C')}|${plain(words, 200)}>`;
}

export function mentionGroup(id: string): string {
  return /^S[A-Z0-9]{1,30}$/.test(id) ? `<!subteam^${id}>` : plain(id, 80);
}

function tidy(data: string, limit: number): string {
  const line = data
    .slice(0, limit * 2)
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
  const characters = [...line];
  return characters.length <= limit ? line : `${characters.slice(0, limit - 1).join('')}…`;
}

function entities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
