import { hasSqlDetails, loadModule, parseSync, scanSync } from 'libpg-query';
import { Failure } from '../../../shared/failure.ts';
import type { Json, JsonObject } from '../../../shared/json.ts';
import { fieldsOf, type SyntaxNode, unwrap, walk } from './syntax.ts';

/** One statement of a text, read by PostgreSQL's own parser. */
export interface Statement extends SyntaxNode {
  /** Its own text, without the `;` after it. */
  readonly text: string;
  /** Of its beginning, from 1, in the text that it was read from. */
  readonly line: number;
}

/** A word or sign of a statement. */
export interface Word {
  /** Names and keywords as written, in upper case; quoted names with their quotes, as written. */
  readonly word: string;
  /** First place and the one after the last, in UTF-16 units. */
  readonly at: number;
  readonly end: number;
  /** How many parentheses and brackets stand open around it. */
  readonly depth: number;
}

const AROUND = 24;
const LONGEST_MESSAGE = 120;
/** Levels of the tree: far more than people write, far less than exhausts the stack of what goes through it. */
const DEEPEST = 1200;

/** Loads the parser once; what is synchronous here works after it only. */
let loading: Promise<void> | null = null;
function loadParser(): Promise<void> {
  loading ??= loadModule();
  return loading;
}

/**
 * Reads one or several statements. Throws `invalid-statement` with line, column and the text around it for what does not
 * parse, for parameters, and for a text without any statement. `parameter` = what the step calls the text.
 */
export async function parseStatements(parameter: string, sql: string): Promise<Statement[]> {
  await loadParser();
  const odd = /\0/.exec(sql)?.index ?? (sql.isWellFormed() ? -1 : sql.search(/\p{Surrogate}/u));
  if (odd >= 0) throw invalidAt(parameter, sql, odd, 'this character can stand in no statement');
  const bytes = Buffer.from(sql);
  const tree = parseOrThrow(parameter, sql);
  if (isDeeper(tree, DEEPEST)) throw invalidAt(parameter, sql, 0, 'it is nested too deeply');
  const statements = tree.map((item): Statement => {
    const { stmt, stmt_location, stmt_len } = fieldsOf(item);
    const begin = Number(stmt_location ?? 0);
    const length = Number(stmt_len ?? 0) || bytes.length - begin;
    const at = bytes.subarray(0, begin).toString().length;
    const found = unwrap(stmt);
    if (!found) throw new Error('the parser returned a statement without a kind');
    const text = bytes.subarray(begin, begin + length).toString();
    return { ...found, text, line: lineOf(sql, at) };
  });
  if (statements.length === 0) throw invalidAt(parameter, sql, 0, 'it holds no statement');
  walk(tree, (fields, kind) => {
    if (kind !== 'ParamRef') return true;
    const at = bytes.subarray(0, Number(fields.location ?? 0)).toString().length;
    throw invalidAt(parameter, sql, at, 'parameters cannot be used: write the value itself');
  });
  return statements;
}

/** The single statement of a composed text; null where it does not parse or is not one. The parser is loaded by then. */
export function reparse(sql: string): SyntaxNode | null {
  try {
    const [first, ...rest] = parseSync(sql).stmts ?? [];
    return rest.length === 0 ? unwrap(first?.stmt as Json | undefined) : null;
  } catch {
    return null;
  }
}

/** Words and signs of a statement that parses, comments left out. */
export function wordsOf(sql: string): Word[] {
  const bytes = Buffer.from(sql);
  const words: Word[] = [];
  let depth = 0;
  let seen = { byte: 0, unit: 0 };
  const unitAt = (byte: number): number => {
    seen = { byte, unit: seen.unit + bytes.subarray(seen.byte, byte).toString().length };
    return seen.unit;
  };
  for (const token of scanSync(sql).tokens) {
    const [at, end] = [unitAt(token.start), unitAt(token.end)];
    if (/COMMENT$/.test(token.tokenName)) continue;
    const text = sql.slice(at, end);
    if (/^[)\]]$/.test(text)) depth -= 1;
    words.push({ word: /^\w/.test(text) ? text.toUpperCase() : text, at, end, depth });
    if (/^[([]$/.test(text)) depth += 1;
  }
  return words;
}

/** A failure that points at a place in a step's text. `at` is counted in UTF-16 units from 0. */
export function invalidAt(
  parameter: string,
  sql: string,
  at: number,
  what: string,
  advice?: string,
  firstLine = 1,
): Failure {
  const before = sql.slice(0, at);
  const column = [...(before.split('\n').at(-1) ?? '')].length + 1;
  const near = `${[...before].slice(-AROUND).join('')}⟶${[...sql.slice(at)].slice(0, AROUND).join('')}`;
  const shown = near.replace(/\s+/g, ' ').trim();
  return new Failure({
    code: 'invalid-statement',
    message: `${parameter}, line ${firstLine + lineOf(sql, at) - 1}, column ${column}: ${what}. Here: ${shown}`,
    advice: advice ?? 'Correct the statement in the file; nothing was changed.',
  });
}

/** A failure about a whole statement. */
export function invalidStatement(parameter: string, statement: Statement, what: string, advice: string): Failure {
  return new Failure({
    code: 'invalid-statement',
    message: `${parameter}, line ${statement.line}: ${what}. Here: ${shorten(statement.text)}`,
    advice,
  });
}

/** The beginning of a statement, in one line. */
export function shorten(text: string, most = 60): string {
  const line = [...text.replace(/\s+/g, ' ').trim()];
  return line.length > most ? `${line.slice(0, most).join('')}…` : line.join('');
}

function parseOrThrow(parameter: string, sql: string): readonly Json[] {
  try {
    return (parseSync(sql) as unknown as JsonObject).stmts as readonly Json[];
  } catch (error) {
    if (error instanceof RangeError) throw invalidAt(parameter, sql, 0, 'it is nested too deeply');
    if (!hasSqlDetails(error) || !error.sqlDetails) throw invalidAt(parameter, sql, 0, 'it holds no statement');
    const { message, cursorPosition } = error.sqlDetails;
    const short = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
    throw invalidAt(parameter, sql, unitsOf(sql, cursorPosition), short.replace(/\s+/g, ' '));
  }
}

function isDeeper(value: Json, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  return levels === 0 || Object.values(value).some((inner: Json) => isDeeper(inner, levels - 1));
}

/** The parser counts the place of an error in characters. */
function unitsOf(sql: string, characters: number): number {
  return [...sql].slice(0, Math.max(0, characters)).join('').length;
}

function lineOf(sql: string, at: number): number {
  return sql.slice(0, at).split('\n').length;
}
