import type { Conflict } from '../system.ts';
import type { Session } from './database.ts';
import { addColumn, dropColumn, dropNotNull, setNotNull } from './deeds/column-deeds.ts';
import { addConstraint, dropConstraint, validate } from './deeds/constraint-deeds.ts';
import { type Deed, type DeedWork, type Judgement, onlyWritten } from './deeds/deed.ts';
import {
  bringBackColumn,
  bringBackTable,
  findKeptTable,
  released,
  setAsideColumn,
  setAsideTable,
} from './deeds/kept-deeds.ts';
import { fill, flip, mirror, unmirror } from './deeds/mirror-deeds.ts';
import { isRowChange, type JournalBody, type SchemaChange } from './journal-body.ts';
import { findTable, type Table } from './table.ts';

/** What the undo of changes of the schema did; its own changes are written down in the same form. */
interface UndoneSchema {
  readonly changes: readonly SchemaChange[];
  readonly conflicts: readonly Conflict[];
  readonly done: number;
  readonly missing: number;
}

const opposites: { readonly [did in SchemaChange['did']]: SchemaChange['did'] } = {
  'add-column': 'drop-column',
  'drop-column': 'add-column',
  'add-constraint': 'drop-constraint',
  'drop-constraint': 'add-constraint',
  validate: 'unvalidate',
  unvalidate: 'validate',
  'set-not-null': 'drop-not-null',
  'drop-not-null': 'set-not-null',
  'create-index': 'drop-index',
  'drop-index': 'create-index',
  mirror: 'unmirror',
  unmirror: 'mirror',
  'flip-mirror': 'flip-mirror',
  'fill-mirror': 'leave-mirror',
  'leave-mirror': 'fill-mirror',
  'set-aside-column': 'bring-back-column',
  'bring-back-column': 'set-aside-column',
  'set-aside-table': 'bring-back-table',
  'bring-back-table': 'set-aside-table',
  release: 'release',
};

/** Each takes the changes that bear its name: so the table forgets which, and `carryOut` remembers. */
const deeds: { readonly [did in SchemaChange['did']]: Deed<never> } = {
  'add-column': addColumn,
  'drop-column': dropColumn,
  'add-constraint': addConstraint,
  'drop-constraint': dropConstraint,
  validate,
  unvalidate: onlyWritten,
  'set-not-null': setNotNull,
  'drop-not-null': dropNotNull,
  // Outside of transactions: `index-life.ts` makes and drops them.
  'create-index': onlyWritten,
  'drop-index': onlyWritten,
  mirror,
  unmirror,
  'flip-mirror': flip,
  'fill-mirror': fill,
  'leave-mirror': onlyWritten,
  'set-aside-column': setAsideColumn,
  'bring-back-column': bringBackColumn,
  'set-aside-table': setAsideTable,
  'bring-back-table': bringBackTable,
  release: released,
};

/** What undoes a change. */
export function oppositeOf(change: SchemaChange): SchemaChange {
  const back = { ...change, did: opposites[change.did] } as SchemaChange;
  return back.did === 'flip-mirror' ? { ...back, name: back.follower, follower: back.name } : back;
}

/**
 * Undoes a batch's changes, last one first, never what stood there before the run. One that cannot be undone keeps the
 * others of its batch as they are too, unless they do not need each other.
 */
export async function undoSchemaChanges(session: Session, original: JournalBody): Promise<UndoneSchema> {
  const backs = changesBack(original);
  const changes: SchemaChange[] = [];
  const conflicts: Conflict[] = [];
  let done = 0;
  await session.rows('SAVEPOINT schema_undo', []);
  for (const back of backs) {
    const outcome: Judgement = back.existed ? 'nothing' : await carryOut(session, original, back);
    if (outcome === 'go' && isCounted(back)) done = 1;
    changes.push(outcome === 'go' ? back : { ...back, existed: true });
    if (typeof outcome === 'string') continue;
    if (!isShown(back)) continue;
    conflicts.push(outcome);
    if (deeds[back.did].soft) continue;
    await session.rows('ROLLBACK TO SAVEPOINT schema_undo', []);
    return {
      changes: backs.map((change) => ({ ...change, existed: true })),
      conflicts,
      done: 0,
      missing: missingOf(conflicts),
    };
  }
  return { changes, conflicts, done, missing: missingOf(conflicts) };
}

/** What undo would do, in counts, conflicts and locks. Parts of other changes are looked at with those. */
export async function previewSchemaChanges(
  session: Session,
  original: JournalBody,
): Promise<{ count: number; locks: string[]; conflicts: Conflict[] }> {
  const conflicts: Conflict[] = [];
  let count = 0;
  for (const back of changesBack(original)) {
    if (back.existed || !isCounted(back)) continue;
    const work = await prepare(session, original, back);
    const judged = 'reason' in work ? work : await deeds[back.did].judge(work as DeedWork<never>, true);
    if (judged === 'go') count = 1;
    else if (typeof judged !== 'string') conflicts.push(judged);
  }
  const locks =
    count > 0 ? [`${original.table}: nobody reads or writes for a moment, after a wait of at most 2 s`] : [];
  return { count, locks, conflicts };
}

async function carryOut(session: Session, original: JournalBody, back: SchemaChange): Promise<Judgement> {
  const work = await prepare(session, original, back);
  if ('reason' in work) return work;
  const deed = deeds[back.did];
  const judged = await deed.judge(work as DeedWork<never>, false);
  if (judged !== 'go') return judged;
  return (await deed.act(work as DeedWork<never>)) ?? 'go';
}

async function prepare(
  session: Session,
  original: JournalBody,
  back: SchemaChange,
): Promise<DeedWork<SchemaChange> | Conflict> {
  const ours = opposites[back.did];
  const conflict = (reason: Conflict['reason'], theirs: Conflict['theirs']): Conflict => ({
    collection: original.table,
    key: back.name,
    field: back.name,
    reason,
    base: null,
    ours,
    theirs,
  });
  const table: Table | null =
    back.did === 'bring-back-table' ? await findKeptTable(session, back) : await findTable(session, original.table);
  return table ? { session, table, change: back, conflict } : conflict('missing', null);
}

const uncounted = new Set<SchemaChange['did']>([
  'validate',
  'unvalidate',
  'flip-mirror',
  'fill-mirror',
  'leave-mirror',
]);

/** Whether people would call it a change by itself. */
function isCounted(back: SchemaChange): boolean {
  return !back.part && !uncounted.has(back.did);
}

/** A part that serves another change is of no interest where it is gone. */
function isShown(back: SchemaChange): boolean {
  return !(back.part && back.did === 'drop-constraint');
}

function missingOf(conflicts: readonly Conflict[]): number {
  return conflicts.some((conflict) => conflict.reason === 'missing') ? 1 : 0;
}

function changesBack(body: JournalBody): SchemaChange[] {
  const changes = body.changes.map((change) => {
    if (isRowChange(change)) throw new Error('the journal of a schema change holds no rows');
    return change;
  });
  return changes.map(oppositeOf).reverse();
}
