import { Failure } from '../../shared/failure.ts';

/** A piece of SQL text. `name` = an identifier or keyword, `quoted` one in double quotes. */
export interface Token {
  readonly kind: 'name' | 'quoted' | 'text' | 'number' | 'parameter' | 'sign';
  readonly text: string;
  /** Counted from 0, in UTF-16 units. */
  readonly at: number;
}

const patterns: readonly (readonly [Token['kind'] | 'skip', RegExp])[] = [
  ['skip', /\s+|--[^\n]*(?:\n|$)/y],
  ['text', /[eE]'(?:[^'\\]|''|\\[\s\S])*'/y],
  ['text', /(?:[bBxXnN])?'(?:[^']|'')*'/y],
  ['text', /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$/y],
  ['quoted', /"(?:[^"]|"")+"/y],
  ['parameter', /\$\d+/y],
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['name', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['sign', /[-+*/<>=~!@#%^&|`?()[\],.:;]/y],
];

/** Takes SQL text apart as PostgreSQL does with standard_conforming_strings on. Throws `invalid-statement`. */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at);
      continue;
    }
    if (/^[uU]&['"]/.test(sql.slice(at, at + 3))) {
      throw invalid(
        sql,
        at,
        'texts and names with Unicode escapes (U&) are not read',
        'Write the characters themselves.',
      );
    }
    const match = firstMatch(sql, at);
    if (!match)
      throw invalid(sql, at, 'this is not finished or not SQL', 'Close every quote, and use no odd characters.');
    if (match.kind !== 'skip') tokens.push({ kind: match.kind, text: match.text, at });
    at += match.text.length;
  }
  return tokens;
}

/** A failure that points at a place in the text, by line and column from 1. */
export function invalid(sql: string, at: number, what: string, advice: string): Failure {
  const before = sql.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new Failure({
    code: 'invalid-statement',
    message: `Statement, line ${before.length}, column ${column}: ${what}.`,
    advice,
  });
}

function firstMatch(sql: string, at: number): { kind: Token['kind'] | 'skip'; text: string } | null {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text) return { kind, text };
  }
  return null;
}

/** PostgreSQL's comments nest. */
function endOfComment(sql: string, start: number): number {
  let depth = 0;
  for (let at = start; at < sql.length; at += 1) {
    const pair = sql.slice(at, at + 2);
    if (pair === '/*') depth += 1;
    if (pair === '*/') depth -= 1;
    if (pair === '/*' || pair === '*/') at += 1;
    if (depth === 0) return at + 1;
  }
  throw invalid(sql, start, 'a comment begins here and never ends', 'Close it with */.');
}
