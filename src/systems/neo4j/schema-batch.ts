import type { JsonObject } from '../../shared/json.ts';
import type { Conflict, StepContext } from '../system.ts';
import {
  type BatchSummary,
  createJournalNode,
  isDuplicate,
  journalKey,
  readSummary,
  type Store,
  writeJournal,
} from './batch.ts';
import type { GraphTransaction } from './connection.ts';
import { passFence } from './fence.ts';
import { ensureJournalSchema } from './journal-schema.ts';

/** What stood there when the step began, kept in the intent so that a second try does not take its own work for older. */
export interface SchemaIntent {
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  readonly done: number;
  readonly conflicts: readonly Conflict[];
}

/** What an earlier call with the same key has written: its intent, and its summary if it got to the end. */
async function readBegun(
  store: Store,
  key: string,
): Promise<{ intent: SchemaIntent; summary?: BatchSummary } | undefined> {
  return store.connection.read(async (transaction) => {
    const statement = 'MATCH (b:_TasBatch {key: $key}) RETURN b.intent, b.body IS NOT NULL';
    const [row] = await transaction.run(statement, { key });
    if (!row) return undefined;
    const intent = JSON.parse(String(row[0])) as SchemaIntent;
    const summary = row[1] === true ? await readSummary(transaction, key) : undefined;
    return summary ? { intent, summary } : { intent };
  });
}

/** Claims the key with the intent; leaves an intent that somebody else wrote meanwhile. */
async function writeIntent(store: Store, context: StepContext, index: number, intent: SchemaIntent): Promise<void> {
  const { connection } = store;
  const key = journalKey(context.runId, context.stepId, index);
  let refused: unknown;
  const write = async (transaction: GraphTransaction) => {
    refused = undefined;
    await createJournalNode(transaction, context, index).catch((error: unknown) => {
      refused = error;
      throw error;
    });
    await passFence(transaction, context.fence, connection.place);
    const statement = 'MATCH (b:_TasBatch {key: $key}) SET b.intent = $intent';
    await transaction.run(statement, { key, intent: JSON.stringify(intent) });
  };
  await connection.write(write, { signal: context.signal, label: key }).catch((error: unknown) => {
    if (!isDuplicate(refused)) throw error;
  });
}

/**
 * A change of the schema, which Neo4j does not put into one transaction with the journal: intent → act → done. `plan`
 * looks at what is there and writes nothing; `act` may be called again after a crash, so it looks at reality too.
 */
export async function runSchemaBatch(
  store: Store,
  context: StepContext,
  request: { readonly index: number; readonly undoes: string | null },
  plan: (transaction: GraphTransaction) => Promise<SchemaIntent>,
  act: (intent: SchemaIntent) => Promise<void>,
): Promise<BatchSummary> {
  const { connection, seal } = store;
  const key = journalKey(context.runId, context.stepId, request.index);
  const options = { signal: context.signal, label: key };
  await ensureJournalSchema(connection);
  let begun = await readBegun(store, key);
  if (!begun) {
    await writeIntent(store, context, request.index, await connection.read(plan, options));
    begun = await readBegun(store, key);
  }
  if (!begun) throw new Error(`the intent of ${key} was written and is not there`);
  if (begun.summary) return begun.summary;
  const { intent } = begun;
  await act(intent);
  const missing = intent.conflicts.filter(({ reason }) => reason === 'missing').length;
  const summary = { done: intent.done, kept: intent.conflicts.length - missing, missing, cursor: null };
  await connection.write(async (transaction) => {
    await passFence(transaction, context.fence, connection.place);
    const schema = { before: intent.before, after: intent.after };
    const body = { version: 1, collection: '', key: '', changes: [], conflicts: intent.conflicts, schema } as const;
    await writeJournal(transaction, seal, key, { ...summary, body, undoes: request.undoes });
  }, options);
  return summary;
}
