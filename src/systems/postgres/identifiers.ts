import { Failure } from '../../shared/failure.ts';

/** PostgreSQL cuts longer names silently, which would make two names one. */
const LONGEST_NAME = 63;

/** A table as files name it, taken apart: schema null = found by the search path (`public`). */
export interface TableName {
  readonly schema: string | null;
  readonly name: string;
}

/** One identifier in double quotes, whatever it holds. Throws `invalid-statement` where PostgreSQL could not hold it. */
export function quoteName(name: string): string {
  if (name.length === 0 || name.includes('\0') || Buffer.byteLength(name) > LONGEST_NAME) {
    throw new Failure({
      code: 'invalid-statement',
      message: `"${name.replaceAll('\0', '\\0').slice(0, 80)}" is no name PostgreSQL can hold.`,
      advice: `Names have 1 to ${LONGEST_NAME} bytes.`,
    });
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal, safe whatever `standard_conforming_strings` says. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** Reads `files`, `app.files` or `app."odd.name"`. Parts are taken as they are written, in upper or lower case. */
export function parseTableName(text: string): TableName {
  const parts = text.match(/"(?:[^"]|"")+"|[^".]+|\./g) ?? [];
  const whole = parts.join('') === text;
  const names = parts.filter((part) => part !== '.').map(unquote);
  const separators = parts.filter((part) => part === '.').length;
  const [first, second] = names;
  if (!whole || first === undefined || names.length > 2 || separators !== names.length - 1 || parts[0] === '.') {
    throw new Failure({
      code: 'invalid-statement',
      message: `"${text.slice(0, 140)}" is no table name.`,
      advice: 'Write `table` or `schema.table`; parts that hold a dot in double quotes.',
    });
  }
  return second === undefined ? { schema: null, name: first } : { schema: first, name: second };
}

/** The quoted form of a table's name. */
export function quoteTable(table: TableName): string {
  return table.schema === null ? quoteName(table.name) : `${quoteName(table.schema)}.${quoteName(table.name)}`;
}

/** Whether two texts name the same table, when an absent schema means `public`. */
export function sameTable(a: string, b: string): boolean {
  const [left, right] = [parseTableName(a), parseTableName(b)];
  return left.name === right.name && (left.schema ?? 'public') === (right.schema ?? 'public');
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}
