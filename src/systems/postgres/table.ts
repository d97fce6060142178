import { Failure } from '../../shared/failure.ts';
import type { Session } from './database.ts';
import { parseTableName, quoteName, quoteTable } from './identifiers.ts';

/** One column as the catalog describes it. */
export interface Column {
  readonly name: string;
  /** As people write it, with its length: `character varying(40)`. */
  readonly type: string;
  /** For casts: without the length, so that a longer value fails instead of being cut. */
  readonly cast: string;
  /** The bare name of the type in pg_type: `uuid`, `int8`, `_text`. */
  readonly typeName: string;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** The server computes it; it cannot be written. */
  readonly generated: boolean;
  readonly identity: boolean;
  /** Whether the type's own order is that of the code points of its text. */
  readonly codePointOrder: boolean;
  /** Whether it alone is a key: a valid unique index, neither partial nor deferrable. */
  readonly unique: boolean;
}

/** A table as it is in the database now. */
export interface Table {
  readonly oid: string;
  /** As the file names it. */
  readonly name: string;
  /** Quoted, ready for a statement. */
  readonly sql: string;
  readonly columns: ReadonlyMap<string, Column>;
}

/** The table, or null where there is none of this name. */
export async function findTable(session: Session, name: string): Promise<Table | null> {
  const sql = quoteTable(parseTableName(name));
  const [found] = await session.rows<{ oid: string }>(
    `SELECT oid FROM pg_catalog.pg_class WHERE oid = to_regclass($1) AND relkind IN ('r', 'p')`,
    [sql],
  );
  if (!found) return null;
  const rows = await session.rows<{ [field: string]: string }>(columnsQuery, [found.oid]);
  const columns = rows.map(
    (row): Column => ({
      name: row.name ?? '',
      type: row.type ?? '',
      cast: row.cast ?? '',
      typeName: row.type_name ?? '',
      notNull: row.not_null === 't',
      hasDefault: row.has_default === 't',
      generated: row.generated === 't',
      identity: row.identity === 't',
      codePointOrder: row.code_point_order === 't',
      unique: row.is_unique === 't',
    }),
  );
  return { oid: found.oid, name, sql, columns: new Map(columns.map((column) => [column.name, column])) };
}

/** The table; throws `precondition-failed` where there is none. */
export async function needTable(session: Session, name: string): Promise<Table> {
  const table = await findTable(session, name);
  if (table) return table;
  throw new Failure({
    code: 'precondition-failed',
    message: `There is no table ${name}.`,
    advice:
      'Correct the name in the migration or the configuration; outside of the schema public write `schema.table`.',
  });
}

/** One of its columns; throws `precondition-failed` where there is none. */
export function needColumn(table: Table, name: string): Column {
  const column = table.columns.get(name);
  if (column) return column;
  throw new Failure({
    code: 'precondition-failed',
    message: `The table ${table.name} has no column ${name}.`,
    advice: 'Correct the name in the migration, or add the column first.',
  });
}

/** A column that alone names a record; throws `precondition-failed` where it does not. */
export function needKey(table: Table, name: string): Column {
  const column = needColumn(table, name);
  if (column.unique) return column;
  throw new Failure({
    code: 'precondition-failed',
    message: `The column ${name} of ${table.name} is no key: no unique index stands on it alone.`,
    advice: 'Name the primary key or a column with a unique constraint.',
  });
}

/** Those texts that can be values of the column at all; the others cannot be in it. */
export function castable(column: Column, texts: readonly string[]): string[] {
  if (column.typeName === 'uuid') {
    return texts.filter((text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text));
  }
  const limit = { int2: 2n ** 15n, int4: 2n ** 31n, int8: 2n ** 63n }[column.typeName];
  if (limit === undefined) return texts.filter((text) => !text.includes('\0'));
  return texts.filter((text) => /^(0|-?[1-9]\d{0,18})$/.test(text) && BigInt(text) < limit && BigInt(text) >= -limit);
}

/** `column = one of the texts` in a form that an index on the column can answer, where the type allows it. */
export function equalsAny(column: Column, place: string, parameter: string): string {
  const direct = ['uuid', 'int2', 'int4', 'int8', 'text', 'varchar'].includes(column.typeName);
  const name = `${place}.${quoteName(column.name)}`;
  return direct ? `${name} = ANY(${parameter}::text[]::${column.cast}[])` : `${name}::text = ANY(${parameter}::text[])`;
}

/** A foreign key between two tables, by its columns in order. */
export interface ForeignKey {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly referenced: string;
  readonly referencedColumns: readonly string[];
  /** As in the catalog: a = no action, r = restrict, c = cascade, n = set null, d = set default. */
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly validated: boolean;
  readonly definition: string;
}

/** Foreign keys of the table (`from`) or that point at it (`to`). Table names come quoted. */
export async function findForeignKeys(session: Session, oid: string, side: 'from' | 'to'): Promise<ForeignKey[]> {
  const rows = await session.rows<{ [field: string]: string }>(
    `SELECT conname AS name, conrelid::regclass::text AS "table", confrelid::regclass::text AS referenced,
       (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(conkey) WITH ORDINALITY k(num, n)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.num) AS columns,
       (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(confkey) WITH ORDINALITY k(num, n)
         JOIN pg_catalog.pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.num) AS referenced_columns,
       confdeltype AS on_delete, confupdtype AS on_update, convalidated AS validated,
       pg_catalog.pg_get_constraintdef(oid) AS definition
     FROM pg_catalog.pg_constraint WHERE contype = 'f' AND ${side === 'from' ? 'conrelid' : 'confrelid'} = $1::oid
     ORDER BY conrelid::regclass::text, conname`,
    [oid],
  );
  return rows.map((row) => ({
    name: row.name ?? '',
    table: row.table ?? '',
    columns: JSON.parse(row.columns ?? '[]') as string[],
    referenced: row.referenced ?? '',
    referencedColumns: JSON.parse(row.referenced_columns ?? '[]') as string[],
    onDelete: row.on_delete ?? '',
    onUpdate: row.on_update ?? '',
    validated: row.validated === 't',
    definition: row.definition ?? '',
  }));
}

const columnsQuery = `SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
    pg_catalog.format_type(a.atttypid, -1) AS cast, t.typname AS type_name, a.attnotnull AS not_null,
    a.atthasdef OR a.attidentity <> '' AS has_default, a.attgenerated <> '' AS generated, a.attidentity <> '' AS identity,
    t.typname = 'uuid' OR (t.typname IN ('text', 'varchar') AND (c.collname IN ('C', 'POSIX', 'ucs_basic')
      OR (c.collname = 'default' AND coalesce(to_jsonb(d)->>'datlocprovider', 'c') = 'c' AND d.datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8'))))
      AS code_point_order,
    EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid
      AND i.indimmediate AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_unique
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_database d ON d.datname = current_database()
    LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
