import { digestOf } from '../../shared/json.ts';
import type { BatchRequest, Conflict, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import type { KindSetting } from './batch.ts';
import { runConcurrently } from './concurrent-batch.ts';
import type { Session } from './database.ts';
import { dropIndex, findIndex, makeIndex } from './indexes.ts';
import type { IndexChange, JournalBody } from './journal-body.ts';
import { readBody, readSummary } from './journal-store.ts';
import { KeptCount } from './kept-findings.ts';
import { findTable, needTable } from './table.ts';
import { oppositeOf } from './undo-schema.ts';

/** What undoing an index means now. `open` = there is something to do. */
interface IndexUndo {
  readonly table: string;
  readonly change: IndexChange;
  readonly open: boolean;
  readonly conflicts: readonly Conflict[];
}

/** The undo of making an index drops only the one that the run made; the undo of that makes it again. */
export async function undoIndex(
  setting: KindSetting,
  batch: BatchRequest,
  context: UndoContext,
  tableName: string,
): Promise<UndoBatchResult> {
  return runConcurrently<UndoBatchResult>(setting, context, batch, {
    tables: [tableName],
    lockName: `index of ${tableName}`,
    async plan(session) {
      const { change, open, conflicts } = await judge(session, setting, context, tableName);
      const missing = conflicts.filter(({ reason }) => reason === 'missing').length;
      const body: JournalBody = { version: 1, table: tableName, keyColumn: null, changes: [change], conflicts };
      return { body, open, result: { cursor: null, done: open ? 1 : 0, kept: conflicts.length - missing, missing } };
    },
    async act(session, body) {
      const change = indexChangeOf(body);
      const table = await needTable(session, body.table);
      if (change.did === 'create-index') {
        const made = await makeIndex(session, table, change.name, change.definition);
        return { ...body, changes: [{ ...change, definition: made.definition }] };
      }
      const there = await findIndex(session, table, change.name);
      if (there?.ofTable) await dropIndex(session, there);
      return body;
    },
  });
}

export async function previewIndexUndo(
  setting: KindSetting,
  context: UndoContext,
  tableName: string,
): Promise<StepPreview> {
  return setting.database.transact({ readOnly: true }, async (session) => {
    const { change, open, conflicts } = await judge(session, setting, context, tableName);
    const kept = new KeptCount();
    kept.add(conflicts);
    return {
      count: open ? 1 : 0,
      exact: true,
      keysHash: digestOf([tableName, change.name]),
      schemaHash: digestOf({ did: change.did, definition: change.definition }),
      samples: [],
      undoClass: 'reversible',
      locks: open ? [`${tableName}: other changes of its schema wait meanwhile; reading and writing go on`] : [],
      bytes: 1000,
      findings: kept.findings(),
      kept: kept.kept(),
    };
  });
}

async function judge(
  session: Session,
  setting: KindSetting,
  context: UndoContext,
  tableName: string,
): Promise<IndexUndo> {
  const key = { ...context.undoes, index: 0 };
  const original = await readBody(session, setting.seal, key);
  const finished = (await readSummary(session, key))?.result.open === false;
  if (!original) {
    const change = { did: 'drop-index' as const, name: '', definition: '', existed: true };
    return { table: tableName, change, open: false, conflicts: [] };
  }
  const change = oppositeOf(indexChangeOf(original)) as IndexChange;
  const stays = (reason?: Conflict['reason'], theirs: Conflict['theirs'] = null): IndexUndo => {
    const ours = indexChangeOf(original).did;
    const conflict = { collection: tableName, key: change.name, field: change.name, base: null, ours, theirs };
    const conflicts = reason ? [{ ...conflict, reason }] : [];
    return { table: tableName, change: { ...change, existed: true }, open: false, conflicts };
  };
  if (change.existed) return stays();
  const table = await findTable(session, tableName);
  if (!table) return stays('missing');
  const there = await findIndex(session, table, change.name);
  if (change.did === 'create-index') {
    if (there?.ofTable && there.valid && there.definition === change.definition) return stays();
    if (there && (!there.ofTable || there.valid)) return stays('value-taken', there.definition || 'the name is taken');
    return { table: tableName, change, open: true, conflicts: [] };
  }
  // Killed between intent and act, or in the middle of it: what stands there is ours, whole or not.
  if (!there) return finished ? stays('missing') : stays();
  const same = there.ofTable && (!finished || there.definition === change.definition);
  if (!same) return stays('changed-since', there.definition || 'something else bears the name');
  const [user] = there.users;
  return user ? stays('referred-to', user) : { table: tableName, change, open: true, conflicts: [] };
}

function indexChangeOf(body: JournalBody): IndexChange {
  const [change] = body.changes;
  if (change?.did === 'create-index' || change?.did === 'drop-index') return change;
  throw new Error('the journal of an index holds one change');
}
