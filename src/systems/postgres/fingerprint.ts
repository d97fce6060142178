import { digestOf, type Json } from '../../shared/json.ts';
import type { Fingerprint } from '../system.ts';
import type { Database, Session } from './database.ts';
import { quoteName } from './identifiers.ts';
import { describeSchema } from './schema-description.ts';

/** Counts and one hash over all that the database holds, in one snapshot; schema `tas_journal` left out. */
export async function fingerprint(database: Database): Promise<Fingerprint> {
  return database.transact({ readOnly: true, repeatable: true, statementTimeout: 0 }, fingerprintOf);
}

/** The counts alone: no row is hashed, no schema is described. */
export async function countRows(database: Database): Promise<Fingerprint['counts']> {
  return database.transact({ readOnly: true, repeatable: true, statementTimeout: 0 }, async (session) => {
    await seeAll(session);
    const counts: Record<string, number> = {};
    for (const { shown, sql } of await listTables(session)) {
      const [row] = await session.rows(`SELECT count(*) AS n FROM ONLY ${sql}`, []);
      counts[shown] = Number(row?.n ?? 0);
    }
    return counts;
  });
}

/** The same within a transaction of the caller, whose search path it empties. */
export async function fingerprintOf(session: Session): Promise<Fingerprint> {
  await seeAll(session);
  const schema = await describeSchema(session);
  const counts: Record<string, number> = {};
  const hashes: Record<string, Json> = {};
  for (const { shown, sql } of await listTables(session)) {
    // The sum of the rows' hashes is the same in whatever order they lie; the server adds it up, row by row.
    const [row] = await session.rows(
      `SELECT count(*) AS n, sum(('x' || substr(h.m, 1, 16))::bit(64)::bigint::numeric)::text AS a,
         sum(('x' || substr(h.m, 17))::bit(64)::bigint::numeric)::text AS b
       FROM (SELECT md5((r.*)::text) AS m FROM ONLY ${sql} r) h`,
      [],
    );
    counts[shown] = Number(row?.n ?? 0);
    hashes[shown] = [row?.n ?? null, row?.a ?? null, row?.b ?? null];
  }
  const sequences = await readSequences(session);
  const [objects] = await session.rows(
    `SELECT count(*) AS n, md5(string_agg(m.oid || ' ' || md5(lo_get(m.oid)), ',' ORDER BY m.oid)) AS h FROM pg_largeobject_metadata m`,
    [],
  );
  const hash = digestOf({ version: 1, schema, hashes, sequences, objects: [objects?.n ?? null, objects?.h ?? null] });
  return { counts, hash };
}

/** Names mean the same whatever the user's search path, and no policy hides rows. */
async function seeAll(session: Session): Promise<void> {
  await session.rows('SET LOCAL search_path = pg_catalog', []);
  await session.rows('SET LOCAL row_security = off', []);
}

/** As they are called in counts, and as SQL. */
async function listTables(session: Session): Promise<{ shown: string; sql: string }[]> {
  const tables = await session.rows<{ schema: string; name: string }>(tablesQuery, []);
  return tables.map(({ schema, name }) => ({
    shown: schema === 'public' ? name : `${schema}.${name}`,
    sql: `${quoteName(schema)}.${quoteName(name)}`,
  }));
}

async function readSequences(session: Session): Promise<Json> {
  const sequences = await session.rows<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND n.nspname NOT IN ('tas_journal', 'information_schema') AND n.nspname !~ '^pg_' ORDER BY 1, 2`,
    [],
  );
  const states: Json[] = [];
  for (const { schema, name } of sequences) {
    const [row] = await session.rows(
      `SELECT last_value::text AS v, is_called::text AS c FROM ${quoteName(schema)}.${quoteName(name)}`,
      [],
    );
    states.push([schema, name, row?.v ?? null, row?.c ?? null]);
  }
  return states;
}

// Without materialized views: a restore fills them anew from the tables.
const tablesQuery = `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('tas_journal', 'information_schema') AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  ORDER BY 1, 2`;
