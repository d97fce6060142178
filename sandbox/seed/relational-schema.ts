import type { Pool } from 'pg';

/** A table's columns: name → definition, whose first word is the type. */
export interface Table {
  readonly name: string;
  readonly columns: { readonly [column: string]: string };
  /** Columns with an index of their own, made after the rows. */
  readonly indexed: readonly string[];
}

const MOMENT = 'timestamptz NOT NULL DEFAULT now()';

/** In an order in which each table comes after those that it refers to. `audimodal_files` has no space_id yet. */
export const TABLES: readonly Table[] = [
  {
    name: 'tenants',
    columns: { id: 'text PRIMARY KEY', name: 'text NOT NULL', status: 'text NOT NULL', created_at: MOMENT },
    indexed: [],
  },
  {
    name: 'users',
    columns: { id: 'uuid PRIMARY KEY', personal_tenant_id: 'text', personal_space_id: 'text', created_at: MOMENT },
    indexed: ['personal_tenant_id', 'personal_space_id'],
  },
  {
    name: 'spaces',
    columns: { id: 'text PRIMARY KEY', tenant_id: 'text NOT NULL', created_at: MOMENT },
    indexed: ['tenant_id'],
  },
  {
    name: 'audimodal_files',
    columns: {
      id: 'uuid PRIMARY KEY',
      tenant_id: 'text',
      filename: 'text NOT NULL',
      path: 'text NOT NULL',
      url: 'text NOT NULL',
      content_type: 'text NOT NULL',
      size: 'bigint NOT NULL CHECK (size >= 0)',
      status: 'text NOT NULL',
      chunk_count: 'integer NOT NULL DEFAULT 0',
      created_at: MOMENT,
      deleted_at: 'timestamptz',
    },
    indexed: ['tenant_id', 'status', 'created_at'],
  },
  {
    name: 'chunks',
    columns: {
      id: 'uuid PRIMARY KEY',
      tenant_id: 'text',
      file_id: 'uuid NOT NULL REFERENCES audimodal_files (id)',
      sequence_number: 'integer NOT NULL',
      content: 'text NOT NULL',
    },
    indexed: ['tenant_id', 'file_id, sequence_number'],
  },
  {
    name: 'agents',
    columns: {
      id: 'uuid PRIMARY KEY',
      name: 'text NOT NULL',
      owner_id: 'uuid NOT NULL',
      space_id: 'text',
      status: 'text NOT NULL',
      created_at: MOMENT,
    },
    indexed: ['space_id', 'owner_id'],
  },
  {
    name: 'executions',
    columns: {
      id: 'uuid PRIMARY KEY',
      agent_id: 'uuid NOT NULL REFERENCES agents (id)',
      space_id: 'text',
      status: 'text NOT NULL',
      started_at: 'timestamptz NOT NULL',
      finished_at: 'timestamptz',
    },
    indexed: ['space_id', 'agent_id'],
  },
];

/** Empties the database, whatever is in it; waits at most 15 s for those who still read. */
export async function wipeDatabase(pool: Pool): Promise<void> {
  await pool.query(`
    BEGIN;
    SET LOCAL lock_timeout = '15s';
    SET LOCAL client_min_messages = warning;
    DROP SCHEMA IF EXISTS tas_journal CASCADE;
    DROP SCHEMA IF EXISTS public CASCADE;
    CREATE SCHEMA public AUTHORIZATION pg_database_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    COMMENT ON SCHEMA public IS 'standard public schema';
    COMMIT;`);
}

export async function createTables(pool: Pool): Promise<void> {
  for (const { name, columns } of TABLES) {
    const definitions = Object.entries(columns).map(([column, definition]) => `${column} ${definition}`);
    await pool.query(`CREATE TABLE public.${name} (${definitions.join(', ')})`);
  }
}

/** After the rows, which go in faster without; then the statistics, so that plans are those of a database in use. */
export async function createTableIndexes(pool: Pool): Promise<void> {
  for (const { name, indexed } of TABLES) {
    for (const columns of indexed) await pool.query(`CREATE INDEX ON public.${name} (${columns})`);
  }
  await pool.query('ANALYZE');
}
