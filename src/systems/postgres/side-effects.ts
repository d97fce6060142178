import type { Finding } from '../finding.ts';
import type { Session } from './database.ts';
import { findForeignKeys, type Table } from './table.ts';

/** What a step does to a table's rows. */
export type RowEvent = 'insert' | 'update' | 'delete';

const bits: Readonly<Record<RowEvent, number>> = { insert: 4, delete: 8, update: 16 };
const BEFORE_EACH_ROW = 3;

/**
 * Triggers and cascades that would change records which no journal sees. A trigger before each row whose function only
 * computes the row itself (`updated_at`) is let through, our own mirror of two columns too; a function that is not readable
 * PL/pgSQL is not.
 */
export async function findSideEffects(
  session: Session,
  table: Table,
  events: readonly RowEvent[],
  written: readonly string[],
): Promise<Finding[]> {
  const mask = events.reduce((sum, event) => sum | bits[event], 0);
  const triggers = await session.rows<{ name: string; type: string; source: string; language: string }>(
    `SELECT g.tgname AS name, g.tgtype AS type, p.prosrc AS source, l.lanname AS language
     FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid JOIN pg_catalog.pg_language l ON l.oid = p.prolang
     WHERE g.tgrelid = $1::oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND p.proname !~ '^_tas_mirror_' AND (g.tgtype::int & $2::int) <> 0
     UNION ALL
     SELECT r.rulename, '0', 'rule', 'sql' FROM pg_catalog.pg_rewrite r WHERE r.ev_class = $1::oid AND r.rulename <> '_RETURN'
     ORDER BY 1`,
    [table.oid, mask],
  );
  const harmful = triggers.filter((trigger) => !computesItsRowOnly(trigger));
  return [
    ...harmful.map((trigger) => ({
      check: 'no-side-effects',
      title: `${table.name}: the trigger or rule ${trigger.name} may change records that the journal does not see`,
      status: 'failed' as const,
      count: 1,
      samples: [trigger.name],
      advice: 'Disable it for the time of the migration, or do its work in a step of its own.',
    })),
    ...(events.includes('update') ? await findUpdateCascades(session, table, written) : []),
  ];
}

function computesItsRowOnly(trigger: { type: string; source: string; language: string }): boolean {
  if (trigger.language !== 'plpgsql' || (Number(trigger.type) & BEFORE_EACH_ROW) !== BEFORE_EACH_ROW) return false;
  const code = trigger.source.replace(/--[^\n]*/g, ' ').replace(/\/\*[\s\S]*?\*\//g, ' ');
  return !/\b(insert|update|delete|merge|truncate|execute|perform|copy|call|notify|select|do|alter|create|drop)\b/i.test(
    code,
  );
}

async function findUpdateCascades(session: Session, table: Table, written: readonly string[]): Promise<Finding[]> {
  const pointing = await findForeignKeys(session, table.oid, 'to');
  return pointing
    .filter(
      (key) => ['c', 'n', 'd'].includes(key.onUpdate) && key.referencedColumns.some((name) => written.includes(name)),
    )
    .map((key) => ({
      check: 'no-side-effects',
      title: `${table.name}: the foreign key ${key.name} of ${key.table} would carry the change on to its own rows`,
      status: 'failed' as const,
      count: 1,
      samples: [key.name],
      advice: 'Make it ON UPDATE NO ACTION, and change its rows in a step of their own.',
    }));
}
