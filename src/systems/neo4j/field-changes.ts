import type { BatchRequest, BatchResult, StepContext } from '../system.ts';
import { type BatchOutcome, keepUnderCap, runBatch, type Store } from './batch.ts';
import type { Change } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import { type Encoded, encodeValue, sameValue } from './encode.ts';
import { SEQUENCE } from './expression.ts';
import { escapeName } from './name.ts';
import { cursorOf, LOCK, refuseKey, refuseUnfitKeys, type Selection } from './records.ts';
import { cypher, type Statement } from './statement.ts';

/** A change of some properties of each selected record, and how to write it. */
export interface FieldWork {
  readonly selection: Selection;
  /** The properties whose images are journaled. */
  readonly properties: readonly string[];
  /**
   * Cypher between the condition and the answer, over `n`, `_tas_before` (the old values, in the order of the
   * properties) and the sequence's number: leaves records out (WHERE) and writes the others (SET).
   */
  readonly write: Statement;
  /** Looks at each record that was written, before the commit; throws what the batch is refused with. */
  judge?(key: string, fields: FieldImages): void;
}

export interface FieldImages {
  readonly [property: string]: { readonly before: Encoded; readonly after: Encoded };
}

/** What one batch has written, and how far it has come. */
interface Written {
  readonly changes: readonly Change[];
  /** How many records the condition held for before the lock; with the last one's key. */
  readonly selected: number;
  readonly lastKey: string;
}

/**
 * Locks in key order, tests again, reads, computes, writes and reads back in one statement that answers in one row: an
 * answer of a row a record takes the server about twice the time. Taken out of a list, the nodes are read anew: what was
 * read before the lock may be stale.
 */
function writeStatement({ selection, properties, write }: FieldWork, after: string | null): Statement {
  const { label, key, where } = selection;
  const [property, names] = [`n.${escapeName(key)}`, properties.map((name) => `n.${escapeName(name)}`)];
  const head = `MATCH (n:${escapeName(label)}) WHERE ${after === null ? '' : `${property} > $after AND `}`;
  return cypher`${head}${where} WITH n ORDER BY ${property} LIMIT $size ${LOCK}
WITH collect(n) AS _tas_nodes
CALL { WITH _tas_nodes UNWIND range(0, size(_tas_nodes) - 1) AS _tas_at
  WITH _tas_nodes[_tas_at] AS n, toString($base + _tas_at) AS ${SEQUENCE} WHERE ${where}
  WITH n, ${SEQUENCE}, [${names.join(', ')}] AS _tas_before
  ${write.text}
  RETURN collect([${property}, _tas_before, [${names.join(', ')}]]) AS _tas_rows }
RETURN size(_tas_nodes), _tas_nodes[-1].${escapeName(key)}, _tas_rows`;
}

/** Before and after images come from the store: it may keep a list in another form than the computed one. */
async function writeFields(
  transaction: GraphTransaction,
  work: FieldWork,
  request: { readonly after: string | null; readonly size: number; readonly base: bigint },
): Promise<Written> {
  const { selection, properties } = work;
  const { text } = writeStatement(work, request.after);
  const [row] = await transaction.run(text, { ...request, size: BigInt(request.size) });
  const [selected, lastKey, rows] = row as [bigint, unknown, [unknown, unknown[], unknown[]][]];
  const changes: Change[] = [];
  let previous: unknown;
  for (const [key, before, after] of rows) {
    if (typeof key !== 'string') throw refuseKey(selection, 'is missing or not text in some records');
    if (key === previous) throw refuseKey(selection, 'is not unique');
    previous = key;
    const fields: { [property: string]: { before: Encoded; after: Encoded } } = Object.create(null);
    for (const [i, name] of properties.entries()) {
      const images = { before: encodeValue(before[i]), after: encodeValue(after[i]) };
      if (!sameValue(images.before, images.after)) fields[name] = images;
    }
    work.judge?.(key, fields);
    if (Object.keys(fields).length > 0) changes.push({ form: 'fields', key, fields });
  }
  return { changes, selected: Number(selected), lastKey: String(lastKey) };
}

/** One batch of changed properties, by key, with before and after images in the journal. */
export async function changeFields(
  store: Store,
  work: FieldWork,
  batch: BatchRequest,
  context: StepContext,
): Promise<BatchResult> {
  const { selection } = work;
  const from = cursorOf(batch);
  const ordinal = from?.ordinal ?? batch.done;
  const { cursor, done } = await runBatch(store, context, batch.index, async (transaction): Promise<BatchOutcome> => {
    if (batch.index === 0) await refuseUnfitKeys(transaction, selection);
    const base = BigInt(context.sequenceBase) + BigInt(ordinal);
    const after = from?.after ?? null;
    const { changes, selected, lastKey } = await writeFields(transaction, work, { after, size: batch.size, base });
    keepUnderCap(context, batch.done, changes.length);
    const body = { version: 1, collection: selection.label, key: selection.key, changes, conflicts: [] } as const;
    const next = selected < batch.size ? null : { after: lastKey, ordinal: ordinal + selected };
    return { done: changes.length, kept: 0, missing: 0, cursor: next, body, undoes: null };
  });
  return { cursor, done };
}
