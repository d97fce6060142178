import type { Pool } from 'pg';
import type { Person, Properties } from './records.ts';
import { createTableIndexes, createTables, TABLES, type Table, wipeDatabase } from './relational-schema.ts';
import { Tally } from './tally.ts';

/** Writes people's rows, a statement a table and batch of people. */
export interface RelationalWriter {
  readonly rows: Tally;
  prepare(): Promise<void>;
  write(people: readonly Person[]): Promise<void>;
  /** Makes the indexes that are not needed before. */
  finish(): Promise<void>;
}

export function createRelationalWriter(pool: Pool): RelationalWriter {
  const rows = new Tally();
  return {
    rows,
    async prepare() {
      await wipeDatabase(pool);
      await createTables(pool);
    },
    async write(people) {
      const byTable = rowsOf(people);
      for (const table of TABLES) rows.add(table.name, await insert(pool, table, byTable[table.name] ?? []));
    },
    finish: () => createTableIndexes(pool),
  };
}

function rowsOf(people: readonly Person[]): { readonly [table: string]: readonly Properties[] } {
  return {
    tenants: present(people.map((person) => person.tenantRow)),
    users: present(people.map((person) => person.userRow)),
    spaces: present(people.map((person) => person.spaceRow)),
    audimodal_files: people.flatMap((person) => person.files),
    chunks: people.flatMap((person) => person.chunks),
    agents: people.flatMap((person) => person.agents),
    executions: people.flatMap((person) => person.executions),
  };
}

function present(rows: readonly (Properties | null)[]): readonly Properties[] {
  return rows.filter((row) => row !== null);
}

/** One array a column: a statement's text and number of parameters do not grow with the rows. */
async function insert(pool: Pool, table: Table, rows: readonly Properties[]): Promise<number> {
  if (rows.length === 0) return 0;
  const columns = Object.entries(table.columns);
  const arrays = columns.map(([column]) => rows.map((row) => toParameter(row[column] ?? null)));
  const casts = columns.map(([, definition], index) => `$${index + 1}::${definition.split(' ')[0]}[]`);
  const names = columns.map(([column]) => column);
  const statement = `INSERT INTO public.${table.name} (${names.join(', ')}) SELECT * FROM unnest(${casts.join(', ')})`;
  const result = await pool.query(statement, arrays);
  return result.rowCount ?? 0;
}

function toParameter(value: Properties[string]): unknown {
  return value instanceof Date ? value.toISOString() : value;
}
