import type { Session } from './database.ts';

const ours = `NOT IN ('tas_journal', 'pg_catalog', 'information_schema', 'pg_toast')`;
const kept = (schema: string): string => `${schema} ${ours} AND ${schema} !~ '^pg_(toast_)?temp_'`;
/** Objects that an extension brings are made by CREATE EXTENSION and are its own affair. */
const notOfExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

/** Each returns `name` and `text`, in words that are the same after a dump and a restore: so rights by default are spelled out. */
const parts: Readonly<Record<string, string>> = {
  schemas: `SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) || ' ' || coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text)
      FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) a), '') AS text FROM pg_namespace n WHERE ${kept('n.nspname')} AND ${notOfExtension('pg_namespace', 'n.oid')}`,
  extensions: `SELECT extname AS name, extversion || ' ' || n.nspname AS text FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace`,
  relations: `SELECT c.oid::regclass::text AS name, concat_ws(' ', c.relkind, c.relpersistence, pg_get_userbyid(c.relowner), c.relrowsecurity,
      c.relforcerowsecurity, c.reloptions, c.relreplident, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), (SELECT string_agg(a::text, ',' ORDER BY a::text)
      FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) a), obj_description(c.oid, 'pg_class'),
      CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
      (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid)) AS text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${kept('n.nspname')} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${notOfExtension('pg_class', 'c.oid')}`,
  columns: `SELECT c.oid::regclass::text || '.' || a.attname AS name, concat_ws(' ', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
      format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attstorage,
      to_jsonb(a)->>'attcompression', a.attoptions, a.attstattarget, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum), nullif(a.attacl::text, '{}')) AS text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE ${kept('n.nspname')} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
      AND ${notOfExtension('pg_class', 'c.oid')}`,
  constraints: `SELECT coalesce(nullif(o.conrelid, 0)::regclass::text, o.contypid::regtype::text) || '.' || o.conname AS name,
      pg_get_constraintdef(o.oid) || ' ' || o.convalidated || ' ' || coalesce(obj_description(o.oid, 'pg_constraint'), '') AS text
    FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
    WHERE ${kept('n.nspname')} AND ${notOfExtension('pg_class', 'o.conrelid')}`,
  indexes: `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid || ' ' || i.indisclustered
      || ' ' || i.indisreplident AS text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${kept('n.nspname')} AND ${notOfExtension('pg_class', 'i.indrelid')}`,
  triggers: `SELECT g.tgrelid::regclass::text || '.' || g.tgname AS name, concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled) AS text
    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${kept('n.nspname')} AND NOT g.tgisinternal`,
  rules: `SELECT r.ev_class::regclass::text || '.' || r.rulename AS name, concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled) AS text
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${kept('n.nspname')} AND r.rulename <> '_RETURN'`,
  policies: `SELECT p.polrelid::regclass::text || '.' || p.polname AS name, concat_ws(' ', p.polcmd, p.polpermissive,
      (SELECT string_agg(CASE WHEN r = 0 THEN 'public' ELSE pg_get_userbyid(r) END, ',' ORDER BY 1) FROM unnest(p.polroles) r),
      pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) AS text FROM pg_policy p`,
  functions: `SELECT p.oid::regprocedure::text AS name, concat_ws(' ', pg_get_userbyid(p.proowner), (SELECT string_agg(a::text, ',' ORDER BY a::text)
      FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a), CASE WHEN p.prokind = 'a' THEN (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggtranstype::regtype, g.agginitval)
      FROM pg_aggregate g WHERE g.aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END) AS text
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${kept('n.nspname')} AND ${notOfExtension('pg_proc', 'p.oid')}`,
  types: `SELECT t.oid::regtype::text AS name, concat_ws(' ', t.typtype, pg_get_userbyid(t.typowner), (SELECT string_agg(e.enumlabel, '|' ORDER BY e.enumsortorder)
      FROM pg_enum e WHERE e.enumtypid = t.oid), CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull, t.typdefault,
      (SELECT concat_ws(' ', r.rngsubtype::regtype, r.rngsubopc::regtype) FROM pg_range r WHERE r.rngtypid = t.oid)) AS text
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE ${kept('n.nspname')} AND t.typtype IN ('e', 'd', 'r', 'c') AND ${notOfExtension('pg_type', 't.oid')}`,
  sequences: `SELECT s.seqrelid::regclass::text AS name, concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
      s.seqcache, s.seqcycle, pg_get_userbyid(c.relowner), (SELECT string_agg(d.refobjid::regclass::text || '.' || a.attname, ',')
      FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))) AS text
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${kept('n.nspname')} AND ${notOfExtension('pg_class', 'c.oid')}`,
  statistics: `SELECT x.stxname AS name, pg_get_statisticsobjdef(x.oid) AS text FROM pg_statistic_ext x
    JOIN pg_namespace n ON n.oid = x.stxnamespace WHERE ${kept('n.nspname')}`,
};

/** Expressions that the server rewrites when it reads them: after a restore casts and parentheses stand elsewhere. */
const rewritten = new Set(['relations', 'columns', 'constraints', 'indexes', 'triggers', 'rules', 'policies']);

/** The schema as texts by part and name; the bot's own left out. Call it with an empty search path. */
export async function describeSchema(session: Session): Promise<{ [part: string]: { [name: string]: string } }> {
  const described: { [part: string]: { [name: string]: string } } = {};
  for (const [part, sql] of Object.entries(parts)) {
    const rows = await session.rows(`${sql} ORDER BY 1`, []);
    const texts = rows.map((row): [string, string] => {
      const text = row.text ?? '';
      return [row.name ?? '', rewritten.has(part) ? withoutCasts(text) : text];
    });
    described[part] = Object.fromEntries(texts);
  }
  return described;
}

/**
 * `(status)::text = ANY ((ARRAY['a'::character varying])::text[])` and what a restore makes of it,
 * `ANY (ARRAY[('a'::character varying)::text])`, are one expression: so casts and parentheses are left out.
 */
export function withoutCasts(text: string): string {
  return text
    .replace(
      /::(?:"[^"]+"|[a-z_][\w.]*)(?: varying| precision)?(?:\(\d+(?:,\d+)?\))?(?: with(?:out)? time zone)?(?:\[\])*/g,
      '',
    )
    .replace(/[()\s]+/g, ' ')
    .replace(/ ?([,[\]]) ?/g, '$1')
    .trim();
}
