import { createHash } from 'node:crypto';
import { KeptTally } from '../../kept-tally.ts';
import type { Sample, StepPreview, UndoContext } from '../../system.ts';
import { journalKey, type Store } from '../batch.ts';
import { type Change, relationshipFields } from '../batch-body.ts';
import { refuseAborted } from '../connection.ts';
import type { Encoded } from '../encode.ts';
import { nothingEarlier } from '../judge-gone.ts';
import { hashSchema } from '../records.ts';
import { nameOf } from '../relationship-fill.ts';
import { showEncoded } from '../show-value.ts';
import { countBatches, judgeBody, readBody } from './undo-batch.ts';

function toSample(collection: string, change: Change): Sample {
  const shown = (values: readonly (readonly [string, Encoded])[]) =>
    Object.fromEntries(values.map(([name, value]) => [name, showEncoded(value)]));
  const { key } = change;
  if (change.form === 'node') {
    const side = (which: 'before' | 'after') => shown(Object.entries(change[which]?.properties ?? {}));
    return { collection, key, before: side('before'), after: side('after') };
  }
  const fields = Object.entries(change.form === 'fields' ? change.fields : relationshipFields(change));
  return {
    collection,
    key: change.form === 'fields' ? key : nameOf(change.from.value, change.to.value),
    before: shown(fields.map(([name, { before }]) => [name, before])),
    after: shown(fields.map(([name, { after }]) => [name, after])),
  };
}

/** What undoing another run's step would do here and now. The hash is over the keys, the last batch first. */
export async function previewUndo(store: Store, context: UndoContext): Promise<StepPreview> {
  const { runId, stepId } = context.undoes;
  const { connection } = store;
  const batches = await connection.read((transaction) => countBatches(transaction, runId, stepId));
  const hash = createHash('sha256');
  const samples: Sample[] = [];
  const kept = new KeptTally();
  const collections = new Set<string>();
  const earlier = nothingEarlier();
  let [count, bytes] = [0, 0];
  for (let index = batches - 1; index >= 0; index--) {
    refuseAborted(context.signal, connection.place);
    const judged = await connection.read(async (transaction) => {
      const body = await readBody(store, transaction, journalKey(runId, stepId, index));
      if (!body) return undefined;
      const { collection } = body;
      return { collection, ...(await judgeBody(store, transaction, body, context, 'look', earlier)) };
    });
    if (!judged) continue;
    collections.add(judged.collection);
    for (const change of judged.changes) {
      hash.update(`${JSON.stringify(change.key)}\n`);
      bytes += 3 * JSON.stringify(change).length;
      if (samples.length < 5) samples.push(toSample(judged.collection, change));
    }
    count += judged.changes.length;
    for (const conflict of judged.conflicts) kept.add(conflict);
  }
  return {
    count,
    exact: true,
    keysHash: hash.digest('hex'),
    schemaHash: await hashSchema(connection, [...collections]),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}
