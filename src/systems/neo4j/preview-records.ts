import { canonicalJson, type Json } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import type { Sample, StepContext, StepPreview } from '../system.ts';
import type { Store } from './batch.ts';
import { hashKeysWithin } from './hash-keys-within.ts';
import { escapeName } from './name.ts';
import { hashSchema, type Selection, selectStatement } from './records.ts';

/** Bytes of journal and log for so many records like these: the log holds each change twice (command before and after). */
export function estimateBytes(count: number, samples: readonly Sample[]): number {
  const shown = Buffer.byteLength(canonicalJson(samples as unknown as Json)) / Math.max(1, samples.length);
  return count * (120 + Math.ceil(shown)) * 3;
}

/** The preview of a step that changes properties of the selected records; all that differs is what its kind has read. */
export async function previewRecords(
  store: Store,
  selection: Selection,
  read: { readonly samples: readonly Sample[]; readonly findings: readonly Finding[] },
  context: Pick<StepContext, 'signal' | 'countForMs'>,
): Promise<StepPreview> {
  const { connection } = store;
  const keys = selectStatement(selection, `RETURN n.${escapeName(selection.key)}`, null);
  const counted = await hashKeysWithin(connection.stream(keys.text, {}, context.signal), context.countForMs);
  return {
    ...counted,
    schemaHash: await hashSchema(connection, [selection.label]),
    samples: read.samples,
    undoClass: 'reversible',
    locks: [],
    bytes: estimateBytes(counted.count, read.samples),
    findings: read.findings,
  };
}
