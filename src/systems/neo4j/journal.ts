import type { Conflict, Journal } from '../system.ts';
import type { Store } from './batch.ts';
import { type BatchBody, type Change, writtenValue } from './batch-body.ts';
import { encodeValue, sameValue } from './encode.ts';
import { escapeName, refuseInternalNames } from './name.ts';
import { textOf } from './show-value.ts';
import { readBody } from './undo/undo-batch.ts';
import { STAMP } from './whole-nodes.ts';

/** A batch that wrote a field, without its body. */
interface Range {
  readonly key: string;
  readonly stamp: string;
  readonly keyProperty: string;
  readonly firstKey: string;
  readonly lastKey: string;
}

/** Opened bodies kept in memory; a batch is about a second of work, some megabytes. */
const OPEN_BODIES = 4;

/** A batch's changes: of nodes by their key, of relationships by their stamp. */
interface OpenedBatch {
  readonly nodes: ReadonlyMap<string, Change>;
  readonly relationships: ReadonlyMap<string, Change>;
}

function indexChanges(changes: readonly Change[]): OpenedBatch {
  const [nodes, relationships] = [new Map<string, Change>(), new Map<string, Change>()];
  for (const change of changes) {
    if (change.form !== 'relationship') nodes.set(change.key, change);
    else if (change.after?.stamp) relationships.set(change.after.stamp, change);
  }
  return { nodes, relationships };
}

/** Opens bodies and keeps the last few. By the body's stamp: after a restore the same key may hold another body. */
function createBodyCache(store: Store): (range: Range) => Promise<OpenedBatch> {
  const opened = new Map<string, OpenedBatch>();
  return async ({ key, stamp }) => {
    const known = opened.get(stamp);
    opened.delete(stamp);
    const read = async (): Promise<OpenedBatch> => {
      const body = await store.connection.read((transaction) => readBody(store, transaction, key));
      return indexChanges(body?.changes ?? []);
    };
    const batch = known ?? (await read());
    opened.set(stamp, batch);
    if (opened.size > OPEN_BODIES) opened.delete(opened.keys().next().value as string);
    return batch;
  };
}

/**
 * The batches of a run that wrote the field and are not undone yet. Once a batch is undone, what still holds its value
 * was kept on purpose, and refers to it like a record of somebody else.
 */
async function standingBatches(store: Store, runId: string, collection: string, field: string): Promise<Range[]> {
  const rows = await store.connection.read((transaction) =>
    transaction.run(
      `MATCH (b:_TasBatch {run: $runId}) WHERE b.collection = $collection AND $field IN b.fields
       AND NOT EXISTS { MATCH (u:_TasBatch {undoes: b.key}) }
       RETURN b.key, b.stamp, b.keyProperty, b.firstKey, b.lastKey ORDER BY b.firstKey`,
      { runId, collection, field },
    ),
  );
  return rows.map(([key, stamp, keyProperty, firstKey, lastKey]) => ({
    key: key as string,
    stamp: stamp as string,
    keyProperty: keyProperty as string,
    firstKey: firstKey as string,
    lastKey: lastKey as string,
  }));
}

async function foreignReferences(
  store: Store,
  openBatch: (range: Range) => Promise<OpenedBatch>,
  runId: string,
  { collection, field }: { readonly collection: string; readonly field: string },
  values: readonly string[],
): Promise<Set<string>> {
  refuseInternalNames([collection, field]);
  const foreign = new Set<string>();
  if (values.length === 0) return foreign;
  const ranges = await standingBatches(store, runId, collection, field);
  const keyProperties = [...new Set(ranges.map(({ keyProperty }) => keyProperty))];
  // In the order of the keys, so that each body is opened once.
  const readings = [
    { node: 'n', held: 'n', stamp: 'null', match: `MATCH (n:${escapeName(collection)})` },
    { node: 'a', held: 'r', stamp: `coalesce(r.${STAMP}, '')`, match: `MATCH (a)-[r:${escapeName(collection)}]->()` },
  ];
  const isOwn = async (value: unknown, recordKeys: readonly unknown[], stamp: string | null) => {
    for (const range of ranges) {
      const key = recordKeys[keyProperties.indexOf(range.keyProperty)];
      if (typeof key !== 'string' || key < range.firstKey || key > range.lastKey) continue;
      const { nodes, relationships } = await openBatch(range);
      const change = stamp === null ? nodes.get(key) : relationships.get(stamp);
      const written = change && writtenValue(change, field);
      if (written !== undefined && sameValue(written, encodeValue(value))) return true;
    }
    return false;
  };
  const wanted = [...values, ...values.filter((value) => /^-?\d{1,18}$/.test(value)).map(BigInt)];
  for (const { node, held, stamp, match } of readings) {
    const property = `${held}.${escapeName(field)}`;
    const keys = keyProperties.map((name) => `${node}.${escapeName(name)}`);
    const found = `${match} WHERE ${property} IN $values RETURN`;
    const text =
      keys.length === 0
        ? `${found} DISTINCT ${property}, [], ''`
        : `${found} ${property}, [${keys}], ${stamp} ORDER BY ${keys}`;
    for await (const [value, recordKeys, mark] of store.connection.stream(text, { values: wanted })) {
      const shown = textOf(encodeValue(value));
      if (shown === null || foreign.has(shown)) continue;
      if (!(await isOwn(value, recordKeys as unknown[], mark as string | null))) foreign.add(shown);
    }
  }
  return foreign;
}

/** The bodies of a step's batches that wrote the field, in order; the others are not opened. */
async function* bodies(store: Store, runId: string, stepId: string, field: string): AsyncGenerator<BatchBody> {
  const rows = await store.connection.read((transaction) =>
    transaction.run(
      `MATCH (b:_TasBatch {run: $runId, step: $stepId}) WHERE b.body IS NOT NULL AND $field IN b.fields
       RETURN b.key ORDER BY b.index`,
      { runId, stepId, field },
    ),
  );
  for (const [key] of rows) {
    const body = await store.connection.read((transaction) => readBody(store, transaction, key as string));
    if (body) yield body;
  }
}

/** What runs wrote to this graph, read from the journal that lies in it. */
export function createJournal(store: Store): Journal {
  const openBatch = createBodyCache(store);
  return {
    async *writtenValues(runId, stepId, field) {
      for await (const body of bodies(store, runId, stepId, field)) {
        const values = body.changes.map((change) => textOf(writtenValue(change, field) ?? null));
        const texts = values.filter((value) => value !== null);
        if (texts.length > 0) yield texts;
      }
    },
    foreignReferences: (runId, collection, field, values) =>
      foreignReferences(store, openBatch, runId, { collection, field }, values),
    async conflicts(runId, stepId, limit) {
      const found: Conflict[] = [];
      const rows = await store.connection.read((transaction) =>
        transaction.run(
          `MATCH (b:_TasBatch {run: $runId, step: $stepId}) WHERE b.kept + b.missing > 0 AND b.body IS NOT NULL
           RETURN b.key ORDER BY b.index`,
          { runId, stepId },
        ),
      );
      for (const [key] of rows) {
        if (found.length >= limit) break;
        const body = await store.connection.read((transaction) => readBody(store, transaction, key as string));
        found.push(...(body?.conflicts ?? []));
      }
      return found.slice(0, limit);
    },
  };
}
