import { Failure } from '../../shared/failure.ts';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { LookupQuery, Row, ScanQuery, Violations } from '../system.ts';
import type { Database, Session } from './database.ts';
import { parseTableName, quoteName } from './identifiers.ts';
import { asReading, checkExpression, checkStatement, prepareReading, refuseVolatile } from './statements.ts';
import { castable, equalsAny, needColumn, needTable, type Table } from './table.ts';
import { jsonOf } from './values.ts';

const FIRST_PAGE = 1000;
const LARGEST_PAGE = 16_000;
const READ_TIMEOUT = 600_000;

/** Records by the value of one field. Where several hold the same value, the first by the fields' text is taken. */
export async function lookup(
  database: Database,
  query: LookupQuery,
  keys: readonly string[],
): Promise<Map<string, JsonObject>> {
  if (keys.length === 0) return new Map();
  return database.transact({ readOnly: true, statementTimeout: READ_TIMEOUT }, async (session) => {
    const table = await needTable(session, query.collection);
    const by = needColumn(table, query.by);
    const rows = await session.rows(
      `SELECT DISTINCT ON (1) r.${quoteName(by.name)}::text AS k${fieldList(table, query.fields, 'r')}
       FROM ${table.sql} r WHERE ${equalsAny(by, 'r', '$1')} ORDER BY 1${query.fields.map((_, n) => `, ${n + 2}`).join('')}`,
      [castable(by, keys)],
    );
    return new Map(rows.map((row) => [row.k ?? '', valuesOf(row, query.fields)]));
  });
}

/** Records in the code point order of their key's text, by key from page to page; pages grow, as each may need a sort. */
export async function* scan(database: Database, query: ScanQuery): AsyncGenerator<Row> {
  let after = query.after ?? null;
  for (let size = FIRST_PAGE; ; size = Math.min(size * 2, LARGEST_PAGE)) {
    const from: string | null = after;
    const page: Row[] = await database.guard(() =>
      database.transact({ readOnly: true, statementTimeout: READ_TIMEOUT }, (session) =>
        scanPage(session, query, from, size),
      ),
    );
    yield* page;
    if (page.length < size) return;
    after = page.at(-1)?.key ?? null;
  }
}

async function scanPage(session: Session, query: ScanQuery, after: string | null, size: number): Promise<Row[]> {
  const table = await needTable(session, query.collection);
  const key = needColumn(table, query.key);
  const alias = quoteName(parseTableName(query.collection).name);
  const name = `${alias}.${quoteName(key.name)}`;
  const where = query.where === undefined ? '' : `AND (\n${checkExpression(query.where)}\n)`;
  if (query.where !== undefined) await refuseVolatile(session, query.where);
  const [order, bound] = key.codePointOrder
    ? [name, `$1::text::${key.cast}`]
    : [`${name}::text COLLATE "C"`, '$1::text'];
  // A bound that is no uuid cannot be compared as one; as text it still has its place in the order.
  const comparable = after === null || castable(key, [after]).length === 1;
  const later = comparable ? `${order} > ${bound}` : `${name}::text COLLATE "C" > $1::text`;
  const statement = `SELECT ${name}::text AS k${fieldList(table, query.fields, alias)} FROM ${table.sql} AS ${alias}
    WHERE ${name} IS NOT NULL ${where} AND ($1::text IS NULL OR ${later}) ORDER BY ${order} LIMIT ${size}`;
  if (after === null) await prepareReading(session, statement.replaceAll('$1::text', 'NULL::text'));
  const rows = await session.rows(statement, [after]);
  return rows.map((row) => ({ key: row.k ?? '', values: valuesOf(row, query.fields) }));
}

/** Counts and shows the rows of a reading statement, in a READ ONLY transaction. */
export async function violations(database: Database, sql: string): Promise<Violations> {
  const statement = checkStatement(sql);
  return database.transact({ readOnly: true, repeatable: true, statementTimeout: READ_TIMEOUT }, async (session) => {
    await refuseVolatile(session, statement);
    const whole = `WITH found AS MATERIALIZED (\n${statement}\n) SELECT (SELECT count(*) FROM found)::text AS n,
      (SELECT json_agg(s.o) FROM (SELECT row_to_json(found.*)::text AS o FROM found LIMIT 5) s)::text AS samples`;
    await prepareReading(session, whole);
    const [row] = await asReading(() => session.rows(whole, []));
    const samples = JSON.parse(row?.samples ?? '[]') as string[];
    return { count: Number(row?.n ?? 0), samples: samples.map((text) => JSON.parse(text) as JsonObject) };
  });
}

/** The cluster's own identifier, made when it was initialized. */
export async function identity(database: Database): Promise<string> {
  return database.transact({ readOnly: true }, async (session) => {
    const [row] = await session.rows('SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()', []);
    if (row?.id) return row.id;
    throw new Failure({
      code: 'step-failed',
      message: 'The server does not tell its identifier.',
      advice: 'Is this a real PostgreSQL?',
    });
  });
}

function fieldList(table: Table, fields: readonly string[], place: string): string {
  return fields.map((field, n) => `, ${jsonOf(needColumn(table, field), place)} AS f${n}`).join('');
}

function valuesOf(row: { [column: string]: string | null }, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field, n) => [field, JSON.parse(row[`f${n}`] ?? 'null') as Json]));
}
