import { type ParsedWords, parseArguments, parseWords } from '../../commands/parse-words.ts';
import { Failure } from '../shared/failure.ts';

/** A terminal's line: the words, and what only a terminal has. */
export interface TerminalArguments {
  readonly words: ParsedWords;
  readonly as: string | null;
  readonly json: boolean;
  readonly wait: boolean;
}

/** Takes `--as <person>`, `--json`, `--wait` and `--help` out, wherever they stand. Throws `wrong-use`. */
export function readArguments(values: readonly string[]): TerminalArguments {
  const rest: string[] = [];
  let as: string | null = null;
  let help = false;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? '';
    if (value === '--json' || value === '--wait') continue;
    if (value === '--help' || value === '-h') help = true;
    else if (value.startsWith('--as=')) as = value.slice('--as='.length);
    else if (value === '--as') {
      at += 1;
      as = values[at] ?? '';
    } else rest.push(value);
  }
  if (as !== null && !/^[\w.-]{1,80}$/.test(as)) {
    throw new Failure({ code: 'wrong-use', message: '`--as` needs a person’s name.', advice: 'Write `--as alice`.' });
  }
  const line = help ? ['help', ...rest.slice(0, 1)] : rest;
  // One quoted argument is a whole line, as it would be typed in Slack.
  const words = line.length === 1 && /\s/.test(line[0] ?? '') ? parseWords(line[0] ?? '') : parseArguments(line);
  return { words, as, json: values.includes('--json'), wait: values.includes('--wait') };
}
