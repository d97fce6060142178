import { Failure } from '../src/shared/failure.ts';
import { suggest } from '../src/shared/suggest.ts';

/** What a person typed, taken apart. */
export interface ParsedWords {
  /** The command's word, lower case; `help` when nothing was typed. */
  readonly word: string;
  /** What follows, without options. */
  readonly names: readonly string[];
  readonly environment: string | null;
  readonly reason: string | null;
  /** Options that only some commands take; a command that does not name one refuses it. */
  readonly extras: Readonly<Partial<Record<ExtraOption, readonly string[]>>>;
  /** The same words again without `env:`, for asking a second time. */
  readonly again: string;
}

/**
 * `canary:` narrows a migration, `way:` chooses a way back, `take:` names a conflict (may be given several times); the others are
 * of windows and times.
 */
const extraOptions = ['canary', 'way', 'take', 'from', 'for', 'tz', 'migration', 'cron', 'quiet', 'window'] as const;
export type ExtraOption = (typeof extraOptions)[number];
const knownOptions = ['env', 'reason', ...extraOptions] as const;
type OptionName = (typeof knownOptions)[number];
const maxLength = 2000;
const maxReason = 500;
const mostTakes = 20;

/**
 * Takes a line apart: words, `env:<name>`, `reason:"…"`, quotes in their plain and typographic forms.
 * Throws `wrong-use` for unknown options, options given twice and quotes that do not end.
 */
export function parseWords(line: string): ParsedWords {
  if (line.length > maxLength) throw wrongUse(`A command has at most ${maxLength} characters.`);
  return parseTokens(splitLine(line));
}

/** The same from words that a shell has taken apart. `--env=name` means `env:name`. */
export function parseArguments(values: readonly string[]): ParsedWords {
  if (values.join(' ').length > maxLength) throw wrongUse(`A command has at most ${maxLength} characters.`);
  return parseTokens(values.map((text) => ({ text: text.normalize('NFC'), quoted: false })));
}

function parseTokens(tokens: readonly Token[]): ParsedWords {
  const words: string[] = [];
  const options = new Map<OptionName, string[]>();
  for (const { text, quoted } of tokens) {
    const option = quoted ? null : /^(?:--)?([A-Za-z][A-Za-z-]*)[:=](.*)$/s.exec(text);
    if (option === null) {
      if (!quoted && /^--?[A-Za-z]/.test(text)) throw unknownOption(text);
      words.push(text);
      continue;
    }
    const name = option[1]?.toLowerCase() ?? '';
    if (!isKnownOption(name)) throw unknownOption(`${option[1]}:`);
    const given = options.get(name) ?? [];
    if (given.length > 0 && name !== 'take') throw wrongUse(`\`${name}:\` is given twice.`);
    const value = option[2]?.trim() ?? '';
    if (value === '') throw wrongUse(`\`${name}:\` has no value.`);
    options.set(name, [...given, value]);
  }
  if ((options.get('take')?.length ?? 0) > mostTakes) throw wrongUse(`At most ${mostTakes} conflicts at a time.`);
  const reason = options.get('reason')?.[0] ?? null;
  const extras = extraOptions.flatMap((name) => (options.has(name) ? [[name, options.get(name) ?? []] as const] : []));
  if (reason !== null && reason.length > maxReason) throw wrongUse(`A reason has at most ${maxReason} characters.`);
  const [word = 'help', ...names] = words;
  const environment = options.get('env')?.[0] ?? null;
  return wordsOf({ word: word.toLowerCase(), names, environment, reason, extras: Object.fromEntries(extras) });
}

/** Words that nobody typed: chosen in a window. */
export function wordsOf(chosen: Omit<ParsedWords, 'again'>): ParsedWords {
  const { word, names, extras, reason } = chosen;
  const again = [
    word,
    ...names.map((name) => quote(name)),
    ...Object.entries(extras).flatMap(([name, values]) => values.map((value) => `${name}:${quote(value, true)}`)),
    ...(reason === null ? [] : [`reason:${quote(reason, true)}`]),
  ].join(' ');
  return { ...chosen, again };
}

interface Token {
  readonly text: string;
  /** Begun with a quote: taken as it is, never as an option. */
  readonly quoted: boolean;
}

const closing: Readonly<Record<string, string>> = {
  '"': '"”“',
  '“': '”"“',
  '”': '”"“',
  '„': '“”"',
  '«': '»',
  "'": "'’",
  '‘': "’'",
};

/** Quotes count at the beginning of a word and behind `name:` only, so that an apostrophe inside of a word is a letter. */
function splitLine(line: string): Token[] {
  const tokens: Token[] = [];
  const characters = [...line.normalize('NFC')];
  let at = 0;
  while (at < characters.length) {
    if (/\s/u.test(characters[at] ?? '')) {
      at += 1;
      continue;
    }
    let text = '';
    const quoted = (characters[at] ?? '') in closing;
    while (at < characters.length && !/\s/u.test(characters[at] ?? '')) {
      const character = characters[at] ?? '';
      const ends = closing[character];
      if (ends !== undefined && (text === '' || /^[A-Za-z][A-Za-z-]*[:=]$/.test(text))) {
        const end = characters.findIndex((other, index) => index > at && ends.includes(other));
        if (end < 0) throw wrongUse('A quote is opened and never closed.');
        text += characters.slice(at + 1, end).join('');
        at = end + 1;
      } else {
        text += character;
        at += 1;
      }
    }
    tokens.push({ text, quoted });
  }
  return tokens;
}

function quote(value: string, always = false): string {
  if (!always && /^[\w.-]+$/.test(value)) return value;
  return value.includes('"') ? `«${value.replaceAll('»', '')}»` : `"${value}"`;
}

function isKnownOption(name: string): name is OptionName {
  return (knownOptions as readonly string[]).includes(name);
}

function unknownOption(text: string): Failure {
  const name = text.replace(/^-+/, '').replace(/[:=].*$/s, '');
  const near = suggest(name, knownOptions);
  const meant = near === null ? '' : ` Did you mean \`${near}:\`?`;
  return wrongUse(
    `There is no option \`${name.slice(0, 40)}\`.${meant}`,
    'Options are `env:<name>`, `reason:"…"`, and what `help <command>` shows.',
  );
}

function wrongUse(message: string, advice = 'Nothing was done. `help` shows how each command is written.'): Failure {
  return new Failure({ code: 'wrong-use', message, advice });
}
