import type { Conflict, UndoContext } from '../system.ts';
import type { Session } from './database.ts';
import { sameTable } from './identifiers.ts';
import type { RowChange, TextValues } from './journal-body.ts';
import type { RowsByKey } from './rows.ts';
import type { Column, Table } from './table.ts';
import type { Intent, UndoWork } from './undo-compare.ts';

type Force = NonNullable<UndoContext['force']>;
type Update = Extract<RowChange, { did: 'update' }>;

/** What people took of a batch: these fields and no others. A record that the run made or deleted is named by its key. */
export function takenChanges(changes: readonly RowChange[], table: string, key: Column, force: Force): RowChange[] {
  return changes.flatMap((change): RowChange[] => {
    const isTaken = (field: string): boolean => force(table, change.key, field);
    if (change.did !== 'update' && isTaken(key.name)) return [change];
    if (change.did === 'insert') return [];
    const fields = Object.keys(change.before).filter(isTaken);
    if (fields.length === 0) return [];
    const before = pick(change.before, fields);
    return [change.did === 'delete' ? { ...change, before } : { ...change, before, after: pick(change.after, fields) }];
  });
}

/** The way back of what was taken, whatever stands there now; null where it stands there already, or nothing can be done. */
export function takenIntent(
  table: Table,
  key: Column,
  change: RowChange,
  now: TextValues | undefined,
  isKept: (field: string) => boolean,
): Intent | null {
  if (change.did === 'insert') {
    return now && !Object.keys(change.after).some(isKept)
      ? { does: 'delete', key: change.key, before: now, after: {} }
      : null;
  }
  if (!now) {
    // One field of a record that is gone is nothing to put back.
    const isWhole = change.did === 'delete' && key.name in change.before;
    return isWhole ? { does: 'insert', key: change.key, before: {}, after: change.before } : null;
  }
  const fields = Object.keys(change.before).filter(
    (field) =>
      !isKept(field) && table.columns.get(field)?.generated === false && now[field] !== (change.before[field] ?? null),
  );
  if (fields.length === 0) return null;
  return { does: 'update', key: change.key, before: pick(now, fields), after: pick(change.before, fields) };
}

/** Coupled fields go together or not at all: one may be taken where the others are, or stand as before the run. */
export async function findTornApart(
  session: Session,
  { context, setting, original, reader }: UndoWork,
  force: Force,
  changes: readonly RowChange[],
  current: RowsByKey,
): Promise<Conflict[]> {
  const collection = original.table;
  const torn: Conflict[] = [];
  for (const group of context.coupled) {
    const fields = group
      .filter((ref) => ref.system === setting.system && sameTable(ref.collection, collection))
      .map((ref) => ref.field);
    const taken = changes.filter(
      (change): change is Update => change.did === 'update' && fields.some((field) => field in change.after),
    );
    for (const other of fields) {
      const alone = taken.filter(({ key }) => current.has(key) && !force(collection, key, other));
      if (alone.length === 0) continue;
      const keys = alone.map(({ key }) => key);
      const others = await reader.changesOf(session, context.undoes.runId, collection, other, keys);
      for (const change of alone) {
        const written = others.get(change.key);
        const now = current.get(change.key) ?? {};
        if (written?.did !== 'update' || (now[other] ?? null) === (written.before[other] ?? null)) continue;
        for (const field of fields.filter((name) => name in change.after)) {
          torn.push({
            collection,
            key: change.key,
            field,
            reason: 'coupled',
            base: change.before[field] ?? null,
            ours: change.after[field] ?? null,
            theirs: now[field] ?? null,
          });
        }
      }
    }
  }
  return torn;
}

function pick(values: TextValues, fields: readonly string[]): TextValues {
  return Object.fromEntries(fields.map((field) => [field, values[field] ?? null]));
}
