import type { Session } from './database.ts';
import { quoteName } from './identifiers.ts';
import type { Table } from './table.ts';

/** Something in the database that would break or go along when a table or column goes. */
export interface Dependent {
  /** As the server describes it: `view shown`, `index by_space`. */
  readonly words: string;
  /** The name of a check over this column alone, or null. */
  readonly check: string | null;
}

const described = `CASE WHEN d.classid = 'pg_rewrite'::regclass
    THEN (SELECT pg_catalog.pg_describe_object('pg_class'::regclass, w.ev_class, 0) FROM pg_catalog.pg_rewrite w WHERE w.oid = d.objid)
    ELSE pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) END`;

/**
 * What the server knows to use a column: views, indexes, keys, checks, generated columns, policies, triggers, functions with
 * SQL bodies. Its own default and its own sequence go along with it and do not count.
 */
export async function findDependents(session: Session, table: Table, column: string): Promise<Dependent[]> {
  const rows = await session.rows<{ words: string; check: string | null }>(
    `SELECT DISTINCT ${described} AS words,
       CASE WHEN o.contype = 'c' AND cardinality(o.conkey) = 1 THEN o.conname END AS check
     FROM pg_catalog.pg_attribute a
       JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
       LEFT JOIN pg_catalog.pg_constraint o ON d.classid = 'pg_constraint'::regclass AND o.oid = d.objid
     WHERE a.attrelid = $1::oid AND a.attname = $2 AND d.deptype IN ('n', 'a', 'P', 'S')
       AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
         SELECT FROM pg_catalog.pg_attrdef f WHERE f.oid = d.objid AND f.adrelid = a.attrelid AND f.adnum = a.attnum))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_class s WHERE d.classid = 'pg_class'::regclass AND s.oid = d.objid AND s.relkind = 'S')
     ORDER BY 1`,
    [table.oid, column],
  );
  return rows;
}

/** Views, foreign keys of other tables, functions, partitions and whatever else the server knows to need the table. */
export async function findTableDependents(session: Session, table: Table): Promise<Dependent[]> {
  const rows = await session.rows<{ words: string }>(
    `SELECT DISTINCT ${described} AS words FROM pg_catalog.pg_class t
       JOIN pg_catalog.pg_depend d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid)
         OR (d.refclassid = 'pg_type'::regclass AND d.refobjid = t.reltype)
       LEFT JOIN pg_catalog.pg_constraint o ON d.classid = 'pg_constraint'::regclass AND o.oid = d.objid
       LEFT JOIN pg_catalog.pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
       LEFT JOIN pg_catalog.pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
       LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
     WHERE t.oid = $1::oid AND d.deptype IN ('n', 'a')
       AND coalesce(o.conrelid, g.tgrelid, w.ev_class, 0) <> t.oid AND coalesce(c.relkind, 'x') NOT IN ('i', 'I', 'S', 't')
       AND d.classid NOT IN ('pg_attrdef'::regclass, 'pg_policy'::regclass, 'pg_statistic_ext'::regclass)
       AND NOT (d.classid = 'pg_constraint'::regclass AND o.contype <> 'f')
     ORDER BY 1`,
    [table.oid],
  );
  return rows.map(({ words }) => ({ words, check: null }));
}

/** Functions whose text names all of these words: what a text means is not known, so they are warned of only. */
export async function findMentions(session: Session, words: readonly string[]): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    `SELECT p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'tas_journal') AND p.proname !~ '^_tas_mirror_'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
       AND (SELECT bool_and(p.prosrc ~ ('\\m' || regexp_replace(w, '([^[:alnum:]_])', '\\\\\\1', 'g') || '\\M')) FROM unnest($1::text[]) w)
     ORDER BY 1 LIMIT 6`,
    [[...words]],
  );
  return rows.map(({ name }) => name);
}

/** Triggers of the table whose function names the column: they would fail at the next row. */
export async function findTriggerMentions(session: Session, table: Table, column: string): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(
    `SELECT g.tgname AS name FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
     WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal AND p.proname !~ '^_tas_mirror_'
       AND p.prosrc ~ ('\\m' || regexp_replace($2, '([^[:alnum:]_])', '\\\\\\1', 'g') || '\\M') ORDER BY 1 LIMIT 6`,
    [table.oid, column],
  );
  return rows.map(({ name }) => `trigger ${quoteName(name)}`);
}
