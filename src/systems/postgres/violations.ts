import type { Finding } from '../finding.ts';
import type { Session } from './database.ts';
import { quoteName } from './identifiers.ts';
import type { Table } from './table.ts';

const SHOWN = 5;

/** What names a row to people: its primary key as text, or null where it has none. `place` is the table's alias. */
export async function keyText(session: Session, table: Table, place: string): Promise<string | null> {
  const rows = await session.rows<{ name: string }>(
    `SELECT a.attname AS name FROM pg_catalog.pg_index i JOIN unnest(i.indkey::int[]) WITH ORDINALITY k(num, n) ON true
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
     WHERE i.indrelid = $1::oid AND i.indisprimary ORDER BY k.n`,
    [table.oid],
  );
  if (rows.length === 0) return null;
  return `concat_ws(', ', ${rows.map(({ name }) => `${place}.${quoteName(name)}`).join(', ')})`;
}

/** Counts the rows of `FROM … WHERE …` and names up to five by key. `place` is the table's alias in it. */
export async function findRows(
  session: Session,
  table: Table,
  place: string,
  from: string,
): Promise<{ count: number; samples: string[] }> {
  const [row] = await session.rows(`SELECT count(*) AS n ${from}`, []);
  const count = Number(row?.n ?? 0);
  const key = count === 0 ? null : await keyText(session, table, place);
  if (key === null) return { count, samples: [] };
  const rows = await session.rows(`SELECT ${key} AS k ${from} LIMIT ${SHOWN}`, []);
  return { count, samples: rows.map((found) => found.k ?? '').sort() };
}

/**
 * A failed finding for rows in the way of a constraint; a warning where an earlier step of the same migration mends them.
 * Nothing where there are none.
 */
export function violationFinding(
  found: { readonly count: number; readonly samples: readonly string[] },
  words: { readonly check: string; readonly title: string; readonly advice: string },
  mended: boolean,
): Finding[] {
  if (found.count === 0) return [];
  const status = mended ? 'warning' : 'failed';
  const advice = mended ? 'An earlier step mends them; the step itself refuses what is left then.' : words.advice;
  return [{ ...words, status, count: found.count, samples: found.samples, advice }];
}

/** A column that does not exist yet: an earlier step of the same migration has to add it. */
export function columnToCome(table: string, columns: readonly string[]): Finding[] {
  if (columns.length === 0) return [];
  return [
    {
      check: 'columns-to-come',
      title: `${table} has no column ${columns.join(', ')} yet`,
      status: 'warning',
      count: columns.length,
      samples: columns.slice(0, SHOWN),
      advice: 'An earlier step of this migration has to add it; the step is refused where none did.',
    },
  ];
}
