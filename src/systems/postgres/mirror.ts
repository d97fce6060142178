import { digestOf } from '../../shared/json.ts';
import type { Session } from './database.ts';
import { quoteName, quoteText } from './identifiers.ts';
import type { FillChange } from './journal-body.ts';
import { type Column, needKey, type Table } from './table.ts';

/** Fires after all other BEFORE triggers, which go by name. */
const TRIGGER = 'zzz_tas_mirror_';
const FUNCTION = '_tas_mirror_';

/** A trigger of ours that keeps two columns equal while old and new versions of an application write one of them each. */
export interface Mirror {
  /** Where the two differ and neither is written, the follower takes the leader's value. */
  readonly leader: string;
  readonly follower: string;
  readonly enabled: boolean;
  readonly trigger: string;
  /** Quoted, with its schema. */
  readonly functionName: string;
}

export async function findMirrors(session: Session, table: Table): Promise<Mirror[]> {
  const rows = await session.rows<{ name: string; args: string; enabled: string; fn: string }>(
    `SELECT g.tgname AS name, encode(g.tgargs, 'hex') AS args, g.tgenabled IN ('O', 'A') AS enabled,
       quote_ident(n.nspname) || '.' || quote_ident(p.proname) AS fn
     FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE g.tgrelid = $1::oid AND starts_with(g.tgname, $2) AND starts_with(p.proname, $3) AND g.tgnargs = 2 ORDER BY 1`,
    [table.oid, TRIGGER, FUNCTION],
  );
  return rows.map(({ name, args, enabled, fn }) => {
    const [leader = '', follower = ''] = Buffer.from(args, 'hex').toString().split('\0');
    return { leader, follower, enabled: enabled === 't', trigger: name, functionName: fn };
  });
}

/** The mirror between two columns, whichever leads. */
export async function findMirror(session: Session, table: Table, a: string, b: string): Promise<Mirror | null> {
  const all = await findMirrors(session, table);
  return all.find(({ leader, follower }) => [leader, follower].sort().join('\0') === [a, b].sort().join('\0')) ?? null;
}

/**
 * Neither column may be lost: what is written to the follower goes to the leader, else the follower takes the leader's
 * value. On INSERT there is no old row, so a follower without a value counts as not written; that is why it has no default.
 * Compared byte by byte: `1.0` and `1.00` are equal numbers and yet not the same value.
 */
export async function createMirror(session: Session, table: Table, leader: string, follower: string): Promise<void> {
  const suffix = digestOf([table.name, ...[leader, follower].sort()]).slice(0, 12);
  const [place] = await session.rows<{ schema: string }>(
    'SELECT relnamespace::regnamespace::text AS schema FROM pg_catalog.pg_class WHERE oid = $1::oid',
    [table.oid],
  );
  const fn = `${place?.schema ?? 'public'}.${FUNCTION}${suffix}`;
  const [l, f] = [quoteName(leader), quoteName(follower)];
  const body = `BEGIN
  IF ROW(NEW.${f})::record OPERATOR(pg_catalog.*<>) ROW(OLD.${f})::record THEN NEW.${l} := NEW.${f}; ELSE NEW.${f} := NEW.${l}; END IF;
  RETURN NEW;
END`;
  await session.rows(`CREATE OR REPLACE FUNCTION ${fn}() RETURNS trigger LANGUAGE plpgsql AS ${quoteText(body)}`, []);
  await session.rows(
    `CREATE TRIGGER ${TRIGGER}${suffix} BEFORE INSERT OR UPDATE ON ${table.sql} FOR EACH ROW
       EXECUTE FUNCTION ${fn}(${quoteText(leader)}, ${quoteText(follower)})`,
    [],
  );
}

export async function dropMirror(session: Session, table: Table, mirror: Mirror): Promise<void> {
  await session.rows(`DROP TRIGGER ${quoteName(mirror.trigger)} ON ${table.sql}`, []);
  await session.rows(`DROP FUNCTION ${mirror.functionName}() RESTRICT`, []);
}

/** Lets the other column lead, and bear the default and the sequence of the one that led. */
export async function flipMirror(
  session: Session,
  table: Table,
  to: { readonly leader: string; readonly follower: string; readonly default: string | null },
): Promise<void> {
  const standing = await findMirror(session, table, to.leader, to.follower);
  if (standing) await dropMirror(session, table, standing);
  await createMirror(session, table, to.leader, to.follower);
  const [leader, follower] = [quoteName(to.leader), quoteName(to.follower)];
  if (to.default === null) return;
  await session.rows(
    `ALTER TABLE ${table.sql} ALTER COLUMN ${leader} SET DEFAULT ${to.default}, ALTER COLUMN ${follower} DROP DEFAULT`,
    [],
  );
  const owned = await session.rows<{ name: string }>(
    `SELECT s.oid::regclass::text AS name FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
       JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
       AND d.refobjid = $1::oid AND a.attname = $2`,
    [table.oid, to.follower],
  );
  for (const { name } of owned) await session.rows(`ALTER SEQUENCE ${name} OWNED BY ${table.sql}.${leader}`, []);
}

/** The default of a column as the catalog writes it; null where it has none. */
export async function findDefault(session: Session, table: Table, column: string): Promise<string | null> {
  const [row] = await session.rows<{ text: string }>(
    `SELECT pg_catalog.pg_get_expr(f.adbin, f.adrelid) AS text FROM pg_catalog.pg_attrdef f
       JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
     WHERE f.adrelid = $1::oid AND a.attname = $2 AND a.attgenerated = ''`,
    [table.oid, column],
  );
  return row?.text ?? null;
}

/** `place` = the table's alias. True where the two columns hold other values. */
export function differ(place: string, a: string, b: string): string {
  return `ROW(${place}.${quoteName(a)})::record OPERATOR(pg_catalog.*<>) ROW(${place}.${quoteName(b)})::record`;
}

export async function countDifferent(session: Session, table: Table, a: string, b: string): Promise<number> {
  const [row] = await session.rows(`SELECT count(*) AS n FROM ${table.sql} r WHERE ${differ('r', a, b)}`, []);
  return Number(row?.n ?? 0);
}

/** Rows whose follower holds a value that would be lost with it; one that was not filled yet holds none. */
export async function countOnlyFollowers(
  session: Session,
  table: Table,
  leader: string,
  follower: string,
): Promise<number> {
  const where = `r.${quoteName(follower)} IS NOT NULL AND ${differ('r', leader, follower)}`;
  const [row] = await session.rows(`SELECT count(*) AS n FROM ${table.sql} r WHERE ${where}`, []);
  return Number(row?.n ?? 0);
}

/** The next keys after one, in the key's own order; null = from the beginning. */
export async function pageOfKeys(
  session: Session,
  table: Table,
  key: Column,
  after: string | null,
  size: number,
): Promise<string[]> {
  const name = `r.${quoteName(key.name)}`;
  const rows = await session.rows(
    `SELECT ${name}::text AS k FROM ${table.sql} r WHERE $1::text IS NULL OR ${name} > $1::text::${key.cast}
     ORDER BY ${name} LIMIT ${size}`,
    [after],
  );
  return rows.map((row) => row.k ?? '');
}

/** Copies one column into the other for a range of keys; answers how many rows got another value. */
export async function fillRange(session: Session, table: Table, range: FillChange): Promise<number> {
  const key = needKey(table, range.key);
  const name = `r.${quoteName(key.name)}`;
  const where = `($1::text IS NULL OR ${name} > $1::text::${key.cast}) AND ($2::text IS NULL OR ${name} <= $2::text::${key.cast})
    AND ${differ('r', range.name, range.source)}`;
  // Locked in the order of the keys, so that two batches never wait for each other in a ring.
  await session.rows(`SELECT 1 AS one FROM ${table.sql} r WHERE ${where} ORDER BY ${name} FOR UPDATE`, [
    range.after,
    range.upTo,
  ]);
  const rows = await session.rows(
    `UPDATE ${table.sql} AS r SET ${quoteName(range.name)} = r.${quoteName(range.source)} WHERE ${where} RETURNING 1 AS one`,
    [range.after, range.upTo],
  );
  return rows.length;
}
