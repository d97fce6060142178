import { createHash } from 'node:crypto';
import type { Finding } from '../finding.ts';
import type { Sample, StepContext, StepPreview } from '../system.ts';
import type { Store } from './batch.ts';
import { estimateBytes } from './preview-records.ts';
import { hashSchema } from './records.ts';
import { type Fill, type SeenRelationship, seeRelationships } from './relationship-fill.ts';
import { checkEnds, type RelationshipSelection } from './relationship-selection.ts';
import type { Statement } from './statement.ts';

interface Look {
  readonly selection: RelationshipSelection;
  readonly fill: Fill;
  /** Made by `seeing`. */
  readonly statement: Statement;
  /** Takes note of a relationship; whether the step would write it. */
  counts(seen: SeenRelationship): boolean;
  sample(seen: SeenRelationship): Sample;
  /** After the last one: what was found on the way. */
  findings(): readonly Finding[];
}

/** Rows between two looks at the clock. */
const LOOK_EVERY = 1000;

/** What a step over relationships would do here and now, one relationship after the other. */
export async function previewRelationships(store: Store, look: Look, context: StepContext): Promise<StepPreview> {
  const { connection } = store;
  const { selection, fill, statement } = look;
  const hash = createHash('sha256');
  const end = context.countForMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + context.countForMs;
  const samples: Sample[] = [];
  let [seenCount, count, exact] = [0, 0, true];
  for await (const seen of seeRelationships(connection, selection, fill, statement, context.signal)) {
    seenCount++;
    if (look.counts(seen)) {
      count++;
      hash.update(`${JSON.stringify([seen.from, seen.to])}\n`);
      if (samples.length < 5) samples.push(look.sample(seen));
    }
    if (seenCount % LOOK_EVERY === 0 && performance.now() > end) {
      exact = false;
      break;
    }
  }
  const ends = await connection.read((transaction) => checkEnds(transaction, selection));
  const labels = [selection.type, selection.from.label, selection.to.label];
  return {
    count,
    exact,
    keysHash: exact ? hash.digest('hex') : '',
    schemaHash: await hashSchema(connection, labels),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes: estimateBytes(count, samples),
    findings: [...ends, ...look.findings()],
  };
}
