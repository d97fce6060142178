import { createHash } from 'node:crypto';
import type { Finding } from '../../finding.ts';
import { KeptTally } from '../../kept-tally.ts';
import type { Conflict, Sample, StepPreview, UndoContext } from '../../system.ts';
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

/** What undo would leave, as warnings: they do not refuse the plan, people should know. */
export function keptFindings(
  counts: { readonly kept: number; readonly missing: number },
  samples: readonly Conflict[],
): Finding[] {
  const findings: Finding[] = [];
  const some = (missing: boolean) =>
    samples
      .filter(({ reason }) => (reason === 'missing') === missing)
      .map(({ collection, key, field, reason }) => `${collection} ${key} ${field}: ${reason}`);
  if (counts.kept > 0) {
    findings.push({
      check: 'kept-by-undo',
      title: 'Changed or referred to since the run; stays as it is',
      status: 'warning',
      count: counts.kept,
      samples: some(false).slice(0, 5),
      advice: "Each is listed with its reason in the undo's report.",
    });
  }
  if (counts.missing > 0) {
    findings.push({
      check: 'gone-before-undo',
      title: 'Records of the run that are gone',
      status: 'warning',
      count: counts.missing,
      samples: some(true).slice(0, 5),
      advice: 'Nothing is put back for these.',
    });
  }
  return findings;
}

/** What undoing another run's step would do here and now. The hash is over the keys, the last batch first. */
export async function previewUndo(store: Store, context: UndoContext): Promise<StepPreview> {
  const { runId, stepId } = context.undoes;
  const { connection } = store;
  const batches = await connection.read((transaction) => countBatches(transaction, runId, stepId));
  const hash = createHash('sha256');
  const counts = { done: 0, kept: 0, missing: 0 };
  const samples: Sample[] = [];
  const conflicts: Conflict[] = [];
  const kept = new KeptTally();
  const collections = new Set<string>();
  const earlier = nothingEarlier();
  let bytes = 0;
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
    counts.done += judged.changes.length;
    for (const conflict of judged.conflicts) {
      if (conflict.reason === 'missing') counts.missing++;
      else counts.kept++;
      kept.add(conflict);
      if (conflicts.length < 50) conflicts.push(conflict);
    }
  }
  return {
    count: counts.done,
    exact: true,
    keysHash: hash.digest('hex'),
    schemaHash: await hashSchema(connection, [...collections]),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes,
    findings: keptFindings(counts, conflicts),
    kept: kept.kept(),
  };
}
