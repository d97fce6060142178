import type { JsonObject } from '../../../shared/json.ts';
import { isTemplate, parseTemplate } from '../../../shared/template.ts';
import type { StepContext } from '../../system.ts';
import type { Session } from '../database.ts';
import { parseTableName, quoteName } from '../identifiers.ts';
import type { RowChange, TextValues } from '../journal-body.ts';
import { checkExpression, prepareReading, refuseVolatile } from '../statements.ts';
import { type Column, castable, equalsAny, needColumn, needKey, needTable, type Table } from '../table.ts';
import { toText } from '../values.ts';
import { type BackfillInput, fieldsOfColumns, type LookupInput } from './backfill-input.ts';

/** The parts of the reading statements of one backfill, checked. */
export interface Backfill {
  readonly table: Table;
  readonly key: Column;
  /** Columns to fill; those that do not exist yet (in a preview) as text. */
  readonly targets: readonly string[];
  /** `FROM …` with the table under its own name, and its alias quoted. */
  readonly from: string;
  readonly alias: string;
  /** Which rows are to be looked at. */
  readonly where: string;
  /** Text of the new value by column; empty for lookups. */
  readonly expressions: ReadonlyMap<string, string>;
}

/** A row that will be changed: what stands in the columns that get another value, and what they get. */
export interface Filling {
  readonly key: string;
  readonly before: TextValues;
  readonly after: TextValues;
}

/** Checks the input against the database. `missing` allows target columns that an earlier step will add. */
export async function composeBackfill(session: Session, input: BackfillInput, missing: boolean): Promise<Backfill> {
  const table = await needTable(session, input.table);
  const key = needKey(table, input.key);
  const targets = Object.keys(input.columns);
  const absent = missing ? targets.filter((name) => !table.columns.has(name)) : [];
  for (const name of targets) if (!absent.includes(name)) needColumn(table, name);
  const alias = quoteName(parseTableName(input.table).name);
  const from =
    absent.length === 0
      ? `FROM ${table.sql} AS ${alias}`
      : `FROM (SELECT t.*${absent.map((name) => `, NULL AS ${quoteName(name)}`).join('')} FROM ${table.sql} t) AS ${alias}`;
  const predicate = `(\n${checkExpression(input.where)}\n) AND ${alias}.${quoteName(key.name)} IS NOT NULL`;
  const expressions = new Map<string, string>();
  await refuseVolatile(session, input.where);
  if (!('lookup' in input)) {
    for (const [name, expression] of Object.entries(input.columns)) {
      await refuseVolatile(session, checkExpression(expression));
      expressions.set(name, `(\n${expression}\n)::${table.columns.get(name)?.cast ?? 'text'}::text`);
    }
  }
  const changes = [...expressions].map(([name, text]) => {
    return `((${text}) IS NOT NULL AND (${text}) IS DISTINCT FROM ${alias}.${quoteName(name)}::text)`;
  });
  const where = changes.length === 0 ? predicate : `${predicate} AND (${changes.join(' OR ')})`;
  return { table, key, targets, from, alias, where, expressions };
}

/** Lets the server read the statement; call it in a READ ONLY transaction. */
export async function checkBackfill(session: Session, backfill: Backfill): Promise<void> {
  await prepareReading(session, `SELECT ${fields(backfill, null).join(', ')} ${backfill.from} WHERE ${backfill.where}`);
}

/** Keys of the next rows after a key, in the key's own order; null = from the beginning. */
export async function nextKeys(
  session: Session,
  backfill: Backfill,
  after: string | null,
  size: number,
): Promise<string[]> {
  const key = `${backfill.alias}.${quoteName(backfill.key.name)}`;
  const rows = await session.rows(
    `SELECT ${key}::text AS k ${backfill.from} WHERE ${backfill.where}
       AND ($1::text IS NULL OR ${key} > $1::text::${backfill.key.cast}) ORDER BY ${key} LIMIT ${size}`,
    [after],
  );
  return rows.map((row) => row.k ?? '');
}

/** Of these rows, those that still fit the predicate and get another value, in the order of the keys. */
export async function findFillings(
  session: Session,
  input: BackfillInput,
  backfill: Backfill,
  keys: readonly string[],
  context: StepContext,
): Promise<Filling[]> {
  const rows = await session.rows(
    `SELECT ${fields(backfill, matchOf(input, backfill)).join(', ')} ${backfill.from}
     WHERE ${backfill.where} AND ${equalsAny(backfill.key, backfill.alias, '$1')}`,
    [castable(backfill.key, keys)],
  );
  const fillings = new Map((await toFillings(session, input, backfill, rows, context)).map((one) => [one.key, one]));
  return keys.flatMap((key) => fillings.get(key) ?? []);
}

/** The next rows after a key, locked, and of them those that get another value. */
export interface NextRows<Row> {
  readonly found: number;
  /** Of the last one that was found; null = none was. */
  readonly lastKey: string | null;
  readonly rows: readonly Row[];
}

/**
 * Locks in the order of the keys. What was written to a row since the statement began is seen: the server tests the predicate
 * again on what it has locked.
 */
export async function lockFillings(
  session: Session,
  input: LookupInput,
  backfill: Backfill,
  after: string | null,
  size: number,
  context: StepContext,
): Promise<NextRows<Filling>> {
  const rows = await session.rows(lockNext(backfill, fields(backfill, matchOf(input, backfill)), size), [after]);
  const fillings = await toFillings(session, input, backfill, rows, context);
  return { found: rows.length, lastKey: rows.at(-1)?.k ?? null, rows: fillings };
}

/** Locks, reads, computes, writes and reads back in one statement; what is computed by expressions needs nobody else. */
export async function fillNext(
  session: Session,
  backfill: Backfill,
  after: string | null,
  size: number,
): Promise<NextRows<RowChange>> {
  const { table, targets } = backfill;
  const key = quoteName(backfill.key.name);
  const sets = targets.map((name, n) => {
    const column = quoteName(name);
    // Nothing is emptied: what has no new value keeps the one that it has.
    return `${column} = CASE WHEN o.v${n} IS NULL THEN r.${column} ELSE o.v${n}::${needColumn(table, name).cast} END`;
  });
  const rows = await session.rows(
    `WITH o AS MATERIALIZED (${lockNext(backfill, [`${backfill.alias}.${key} AS key`, ...fields(backfill, null)], size)}),
       w AS (UPDATE ${table.sql} AS r SET ${sets.join(', ')} FROM o WHERE r.${key} = o.key
         RETURNING r.${key} AS key${targets.map((name, n) => `, r.${quoteName(name)}::text AS a${n}`).join('')})
     SELECT ${['k', 'w.key IS NOT NULL AS written', ...targets.flatMap((_, n) => [`b${n}`, `v${n}`, `a${n}`])].join(', ')}
     FROM o LEFT JOIN w USING (key) ORDER BY key`,
    [after],
  );
  const changes = rows.flatMap((row): RowChange[] => {
    const filling = fill(backfill, row);
    if (filling === null || row.written !== 't') return [];
    const written = Object.keys(filling.after).map((name) => [name, row[`a${targets.indexOf(name)}`] ?? null]);
    return [{ did: 'update', key: filling.key, before: filling.before, after: Object.fromEntries(written) }];
  });
  return { found: rows.length, lastKey: rows.at(-1)?.k ?? null, rows: changes };
}

function lockNext(backfill: Backfill, selected: readonly string[], size: number): string {
  const key = `${backfill.alias}.${quoteName(backfill.key.name)}`;
  return `SELECT ${selected.join(', ')} ${backfill.from} WHERE ${backfill.where}
    AND ($1::text IS NULL OR ${key} > $1::text::${backfill.key.cast}) ORDER BY ${key} LIMIT ${size} FOR UPDATE OF ${backfill.alias}`;
}

function matchOf(input: BackfillInput, { table }: Backfill): Column | null {
  return 'lookup' in input ? needColumn(table, input.lookup.match) : null;
}

async function toFillings(
  session: Session,
  input: BackfillInput,
  backfill: Backfill,
  rows: readonly { [column: string]: string | null }[],
  context: StepContext,
): Promise<Filling[]> {
  const { table } = backfill;
  if ('lookup' in input) {
    const found = await lookUp(input.lookup, fieldsOfColumns(input), rows, context);
    for (const [n, name] of backfill.targets.entries()) {
      const texts = rows.map((row) => fieldText(input, backfill, found.get(row.m ?? ''), name));
      const canonical = await canonicalTexts(session, table.columns.get(name)?.cast ?? 'text', texts);
      rows.forEach((row, at) => {
        row[`v${n}`] = canonical[at] ?? null;
      });
    }
  }
  return rows.flatMap((row) => fill(backfill, row) ?? []);
}

/** How many rows that are to be looked at hold one of these values in a column. */
export async function countMatching(
  session: Session,
  backfill: Backfill,
  match: string,
  values: readonly string[],
): Promise<number> {
  const column = needColumn(backfill.table, match);
  const [row] = await session.rows(
    `SELECT count(*) AS n ${backfill.from} WHERE ${backfill.where} AND ${equalsAny(column, backfill.alias, '$1')}`,
    [castable(column, values)],
  );
  return Number(row?.n ?? 0);
}

/** The server's own text for each value, so that two spellings of one value are no change. */
async function canonicalTexts(session: Session, cast: string, texts: readonly (string | null)[]) {
  if (cast === 'text' || cast === 'character varying') return texts;
  const rows = await session.rows(
    `SELECT v.c::${cast}::text AS v FROM unnest($1::text[]) WITH ORDINALITY AS v(c, n) ORDER BY v.n`,
    [texts],
  );
  return rows.map((row) => row.v ?? null);
}

function fill(backfill: Backfill, row: { [column: string]: string | null }): Filling | null {
  const before: Record<string, string | null> = {};
  const after: Record<string, string | null> = {};
  backfill.targets.forEach((name, n) => {
    const value = row[`v${n}`] ?? null;
    // Nothing is emptied: what has no new value keeps the one that it has.
    if (value === null || value === row[`b${n}`]) return;
    before[name] = row[`b${n}`] ?? null;
    after[name] = value;
  });
  return Object.keys(after).length === 0 ? null : { key: row.k ?? '', before, after };
}

function fieldText(
  input: BackfillInput,
  backfill: Backfill,
  there: JsonObject | undefined,
  name: string,
): string | null {
  const from = input.columns[name] ?? '';
  const value = isTemplate(from) ? parseTemplate(from).fill(there ?? {}) : there?.[from];
  return toText(value, backfill.table.columns.get(name) ?? { typeName: 'text' });
}

async function lookUp(
  lookup: { readonly system: string; readonly collection: string; readonly by: string },
  wanted: readonly string[],
  rows: readonly { [column: string]: string | null }[],
  context: StepContext,
): Promise<Map<string, JsonObject>> {
  const keys = [...new Set(rows.map((row) => row.m).filter((value) => value !== null && value !== undefined))];
  if (keys.length === 0) return new Map();
  const { system, collection, by } = lookup;
  return context.lookup(system, { collection, by, fields: wanted }, keys);
}

function fields({ alias, key, targets, expressions }: Backfill, match: Column | null): string[] {
  return [
    `${alias}.${quoteName(key.name)}::text AS k`,
    ...(match ? [`${alias}.${quoteName(match.name)}::text AS m`] : []),
    ...targets.map((name, n) => `${alias}.${quoteName(name)}::text AS b${n}`),
    ...targets.flatMap((name, n) => (expressions.has(name) ? [`${expressions.get(name)} AS v${n}`] : [])),
  ];
}
