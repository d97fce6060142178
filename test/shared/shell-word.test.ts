import { execFileSync } from 'node:child_process';
import { psqlCommand, shellCommand, shellWord, sqlText } from '../../src/shared/shell-word.ts';

const hostile = [
  'plain-name_1.2/x:y',
  '',
  "it's",
  '"; rm -rf / #',
  '$(touch /tmp/x) `id` $HOME \\',
  'two\nlines; echo broken out',
  "tab\tnul-less \u001b[31m end'",
  'two  spaces   three',
  'Größe 😀 \u202e back',
  '\u00e9abc\u00e90',
  '-n',
  '!history && exit',
];

/** What a real shell makes of a command line. */
function heard(command: string): string {
  return execFileSync('bash', ['-c', command], { encoding: 'utf8' });
}

describe('a word for a shell', () => {
  it.each(hostile)('%j comes out as it went in', (text) => {
    expect(heard(`printf '[%s]' ${shellWord(text)} end`)).toBe(`[${text}][end]`);
  });

  it.each(hostile)('%j is printable, on one line, and nothing in a message changes it', (text) => {
    expect(shellWord(text)).toMatch(/^[ -_a-~]+$/);
    expect(shellWord(text)).not.toContain('  ');
  });

  it('keeps the words of a command apart', () => {
    expect(shellCommand('kubectl', '-n', 'aether be', 'get')).toBe("kubectl -n 'aether be' get");
  });

  it('hands psql one statement, whatever is in it', () => {
    const place = { host: 'db', port: 5432, user: "o'hara", database: 'a b' };
    const command = psqlCommand(place, `SELECT ${sqlText("x'; DROP TABLE y; --")}`);
    const words = heard(`psql() { printf '%s\\n' "$@"; }; ${command}`).split('\n');
    expect(words).toEqual([
      '-X',
      '-h',
      'db',
      '-p',
      '5432',
      '-U',
      "o'hara",
      '-d',
      'a b',
      '-c',
      "SELECT 'x''; DROP TABLE y; --'",
      '',
    ]);
  });
});
