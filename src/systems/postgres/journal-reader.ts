import type { Seal } from '../../shared/sealed.ts';
import type { Conflict, Journal } from '../system.ts';
import type { Database, Session } from './database.ts';
import { quoteName, sameTable } from './identifiers.ts';
import { byCodePoint, isRowChange, type RowChange, writtenBy } from './journal-body.ts';
import { type BatchKey, countBatches, hasJournal, readBody } from './journal-store.ts';
import { castable, equalsAny, findTable, needColumn } from './table.ts';

const CACHED_BODIES = 16;
const PAGE = 2000;

/** Reads what runs wrote. Bodies are opened one by one; the last few stay open. */
export interface JournalReader extends Journal {
  /** What a run wrote to one field of records with these keys, whichever step did. */
  changesOf(
    session: Session,
    runId: string,
    collection: string,
    field: string,
    keys: readonly string[],
  ): Promise<Map<string, RowChange>>;
}

export function createJournalReader(database: Database, seal: Seal): JournalReader {
  const cache = new Map<string, Map<string, RowChange>>();

  async function changesIn(session: Session, key: BatchKey): Promise<Map<string, RowChange>> {
    const name = JSON.stringify(key);
    const known = cache.get(name);
    cache.delete(name);
    const body = known ? null : await readBody(session, seal, key);
    const changes = known ?? new Map(body?.changes.filter(isRowChange).map((change) => [change.key, change]));
    cache.set(name, changes);
    const oldest = cache.keys().next().value;
    if (cache.size > CACHED_BODIES && oldest !== undefined) cache.delete(oldest);
    return changes;
  }

  async function changesOf(
    session: Session,
    runId: string,
    collection: string,
    field: string,
    keys: readonly string[],
  ) {
    const found = new Map<string, RowChange>();
    for (const batch of await batchesOf(session, runId, collection, field)) {
      const inside = keys.filter((key) => byCodePoint(batch.first, key) <= 0 && byCodePoint(key, batch.last) <= 0);
      if (inside.length === 0) continue;
      const changes = await changesIn(session, { runId, stepId: batch.stepId, index: batch.index });
      for (const key of inside) {
        const change = changes.get(key);
        if (change && field in (writtenBy(change) ?? {})) found.set(key, change);
      }
    }
    return found;
  }

  return {
    changesOf,
    writtenValues: (runId, stepId, field) => writtenValues(database, seal, runId, stepId, field),
    foreignReferences: (runId, collection, field, values) =>
      database.guard(() =>
        database.transact({ readOnly: true, statementTimeout: 600_000 }, (session) =>
          foreignReferences(session, changesOf, runId, collection, field, values),
        ),
      ),
    conflicts: (runId, stepId, limit) => database.guard(() => readConflicts(database, seal, runId, stepId, limit)),
  };
}

async function* writtenValues(database: Database, seal: Seal, runId: string, stepId: string, field: string) {
  const read = <T>(work: (session: Session) => Promise<T>): Promise<T> =>
    database.guard(() => database.transact({ readOnly: true }, work));
  const batches = await read((session) => batchesOfStep(session, runId, stepId, field));
  for (const index of batches) {
    const body = await read((session) => readBody(session, seal, { runId, stepId, index }));
    const values = (body?.changes ?? [])
      .map((change) => writtenBy(change)?.[field])
      .filter((value) => value !== undefined && value !== null);
    if (values.length > 0) yield values;
  }
}

async function readConflicts(database: Database, seal: Seal, runId: string, stepId: string, limit: number) {
  return database.transact({ readOnly: true }, async (session): Promise<Conflict[]> => {
    const total = await countBatches(session, runId, stepId);
    const conflicts: Conflict[] = [];
    for (let index = 0; index < total && conflicts.length < limit; index += 1) {
      conflicts.push(...((await readBody(session, seal, { runId, stepId, index }))?.conflicts ?? []));
    }
    return conflicts.slice(0, limit);
  });
}

/** The batches of a step that may have written the field, in order; the bodies of the others need not be opened. */
async function batchesOfStep(session: Session, runId: string, stepId: string, field: string): Promise<number[]> {
  if (!(await hasJournal(session))) return [];
  const rows = await session.rows(
    `SELECT "index" FROM tas_journal.batch WHERE run_id = $1 AND step_id = $2
       AND summary->'columns' @> to_jsonb($3::text) ORDER BY "index"`,
    [runId, stepId, field],
  );
  return rows.map(({ index }) => Number(index));
}

/** Batches of a run that wrote a field of a collection, with the range of their keys. */
async function batchesOf(session: Session, runId: string, collection: string, field: string) {
  if (!(await hasJournal(session))) return [];
  const rows = await session.rows<{ [column: string]: string }>(
    `SELECT step_id, "index", summary->>'table' AS "table", summary->>'keyColumn' AS key_column,
       summary->>'firstKey' AS first, summary->>'lastKey' AS last
     FROM tas_journal.batch WHERE run_id = $1 AND summary->'columns' @> to_jsonb($2::text)
       AND summary->>'firstKey' IS NOT NULL ORDER BY step_id, "index"`,
    [runId, field],
  );
  return rows
    .filter((row) => sameTable(row.table ?? '', collection))
    .map((row) => ({
      stepId: row.step_id ?? '',
      index: Number(row.index),
      keyColumn: row.key_column ?? '',
      first: row.first ?? '',
      last: row.last ?? '',
    }));
}

async function foreignReferences(
  session: Session,
  changesOf: JournalReader['changesOf'],
  runId: string,
  collection: string,
  field: string,
  values: readonly string[],
): Promise<Set<string>> {
  const table = await findTable(session, collection);
  const column = table?.columns.get(field);
  // A column that is gone, or does not exist yet, refers to nothing.
  if (!table || !column) return new Set();
  const wanted = castable(column, values);
  const place = `${table.sql} r WHERE ${equalsAny(column, 'r', '$1')}`;
  const [batch] = await batchesOf(session, runId, collection, field);
  if (!batch) {
    const rows = await session.rows(`SELECT DISTINCT r.${quoteName(field)}::text AS v FROM ${place}`, [wanted]);
    return new Set(rows.map((row) => row.v ?? ''));
  }
  const key = needColumn(table, batch.keyColumn);
  const name = `r.${quoteName(key.name)}`;
  const foreign = new Set<string>();
  let after: string | null = null;
  for (;;) {
    const rows: { [column: string]: string | null }[] = await session.rows(
      `SELECT ${name}::text AS k, r.${quoteName(field)}::text AS v FROM ${place}
         AND ($2::text IS NULL OR ${name} > $2::text::${key.cast}) ORDER BY ${name} LIMIT ${PAGE}`,
      [wanted.filter((value) => !foreign.has(value)), after],
    );
    const keys = rows.map((row) => row.k ?? '');
    const ours = await changesOf(session, runId, collection, field, keys);
    for (const row of rows) if (!ours.has(row.k ?? '')) foreign.add(row.v ?? '');
    if (rows.length < PAGE) return foreign;
    after = keys.at(-1) ?? null;
  }
}
