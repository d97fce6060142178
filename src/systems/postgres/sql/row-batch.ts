import { Failure } from '../../../shared/failure.ts';
import type { BatchRequest, BatchResult, Sample } from '../../system.ts';
import type { BatchOutcome } from '../batch.ts';
import type { Session } from '../database.ts';
import { quoteName } from '../identifiers.ts';
import type { RowChange, TextValues } from '../journal-body.ts';
import { lockRows, readRows } from '../rows.ts';
import { refuseFailed } from '../schema-kind.ts';
import { asReading } from '../statements.ts';
import { castable } from '../table.ts';
import { MOST_AT_ONCE, type RowPlan } from './row-plan.ts';

/** Keys of rows for which the statement's condition holds now, in order, after this one. */
export async function nextKeys(
  session: Session,
  { statement, key }: RowPlan,
  after: string | null,
  size: number,
): Promise<string[]> {
  const name = `${statement.alias}.${quoteName(key.name)}`;
  // Not DISTINCT ON the text: the order is that of the key's own type, which an index has.
  const keys = statement.select(
    `DISTINCT ${name} AS k`,
    `($1::text IS NULL OR ${name} > $1::text::${key.cast})`,
    `ORDER BY 1 LIMIT ${size}`,
  );
  const rows = await session.rows(`SELECT f.k::text AS k FROM (\n${keys}\n) AS f ORDER BY f.k`, [after]);
  return rows.map((row) => row.k ?? '');
}

/** Carries out the statement for the next rows: locked in key order, with their images before and after. */
export async function writeRows(
  session: Session,
  plan: RowPlan,
  batch: BatchRequest,
): Promise<BatchOutcome<BatchResult>> {
  refuseFailed(plan.findings);
  const { table, key, statement } = plan;
  const after = typeof batch.cursor === 'string' ? batch.cursor : null;
  const size = plan.atOnce ? MOST_AT_ONCE + 1 : batch.size;
  const keys = await nextKeys(session, plan, after, size);
  if (plan.atOnce && keys.length > MOST_AT_ONCE) throw tooMany(table.name);
  await lockRows(session, table, key, keys);
  // What the server computes follows by itself, there and back; of a row that is deleted it is shown.
  const kept = [...table.columns.values()].filter(({ generated }) => statement.does === 'delete' || !generated);
  const columns = kept.map((column) => column.name);
  const before = await readRows(session, table, key, columns, keys);
  const returning = columns.map((name, n) => `${statement.alias}.${quoteName(name)}::text AS c${n}`);
  const name = `${statement.alias}.${quoteName(key.name)}`;
  const rows = await session.rows(
    statement.write(
      `${name} = ANY($1::text[]::${key.cast}[])`,
      [`${name}::text AS k`, ...(statement.does === 'update' ? returning : [])].join(', '),
    ),
    [castable(key, keys)],
  );
  const changes = rows.flatMap((row): RowChange[] => {
    const old = before.get(row.k ?? '');
    if (!old) throw new Error('the statement wrote a row that was not locked');
    if (statement.does === 'delete') return [{ did: 'delete', key: row.k ?? '', before: old }];
    const now = Object.fromEntries(columns.map((column, n) => [column, row[`c${n}`] ?? null]));
    return changeOf(row.k ?? '', old, now);
  });
  return {
    body: { version: 1, table: table.name, keyColumn: key.name, changes, conflicts: [] },
    result: { cursor: keys.length < size || plan.atOnce ? null : (keys.at(-1) ?? null), done: rows.length },
  };
}

/** Up to five rows as they are and as they would be, as far as the new values can be computed without writing. */
export async function sampleRows(session: Session, plan: RowPlan, keys: readonly string[]): Promise<Sample[]> {
  const { statement, table, key } = plan;
  const known = statement.sets.filter(({ expression, column }) => expression !== null && table.columns.has(column));
  const name = `${statement.alias}.${quoteName(key.name)}`;
  const shown = statement.does === 'delete' ? [...table.columns.keys()] : known.map(({ column }) => column);
  const list = [
    `${name}::text AS k`,
    ...shown.map((column, n) => `${statement.alias}.${quoteName(column)}::text AS b${n}`),
    ...known.map(({ column, expression }, n) => {
      const cast = table.columns.get(column)?.type ?? 'text';
      return `(\n${expression}\n)::${cast}::text AS a${n}`;
    }),
  ];
  const wanted = `${name} = ANY($1::text[]::${key.cast}[])`;
  const rows = await asReading(() =>
    session.rows(statement.select(list.join(', '), wanted, ''), [castable(key, keys)]),
  );
  const byKey = new Map(rows.map((row) => [row.k ?? '', row]));
  return keys.flatMap((one) => {
    const row = byKey.get(one);
    if (!row) return [];
    const before = Object.fromEntries(shown.map((column, n) => [column, row[`b${n}`] ?? null]));
    const after = Object.fromEntries(known.map(({ column }, n) => [column, row[`a${n}`] ?? null]));
    return { collection: table.name, key: one, before, after };
  });
}

export function tooMany(table: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `The statement reads ${table} while it writes it, so all rows have to go at once, and they are more than ${MOST_AT_ONCE}.`,
    advice:
      'Narrow it by WHERE, take it apart into steps, or give an `inverse` or `oneWay: true`. Nothing was changed.',
  });
}

function changeOf(key: string, old: TextValues, now: TextValues): RowChange[] {
  const changed = Object.keys(now).filter((column) => now[column] !== old[column]);
  if (changed.length === 0) return [];
  const pick = (values: TextValues): TextValues =>
    Object.fromEntries(changed.map((column) => [column, values[column] ?? null]));
  return [{ did: 'update', key, before: pick(old), after: pick(now) }];
}
