import { hash } from 'node:crypto';
import type { Json } from '../../shared/json.ts';
import type { Conflict } from '../system.ts';
import type { BatchBody, Change, NodeImage, RelationshipImage } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import { decodeProperties } from './encode.ts';
import { createNodeRecords, createRelationshipRecords, decodeImage, findEnds } from './node-images.ts';
import { findByKeys, LOCK } from './records.ts';
import { showEncoded } from './show-value.ts';
import { takenValues, uniqueRules } from './undo/value-holders.ts';

export type NodeChange = Extract<Change, { form: 'node' }>;
type Deleted = NodeChange & { readonly before: NodeImage };
type FindEnd = (image: RelationshipImage) => bigint | undefined;

function imagesOf(deleted: readonly Deleted[]): RelationshipImage[] {
  return deleted.flatMap(({ before }) => before.relationships);
}

/** Finds the ends that are there; with purpose `lock` they cannot go before the relationships are made. */
async function holdEnds(
  transaction: GraphTransaction,
  images: readonly RelationshipImage[],
  purpose: 'lock' | 'look',
): Promise<FindEnd> {
  const found = await findEnds(transaction, images);
  if (purpose === 'look') return found;
  const ids = [...new Set(images.map(found).filter((id) => id !== undefined))];
  await transaction.run(`MATCH (n) WHERE id(n) IN $ids WITH n ORDER BY id(n) ${LOCK}`, { ids });
  return findEnds(transaction, images);
}

/** Whose unique values somebody else holds by now, or whose key. */
async function findTaken(
  transaction: GraphTransaction,
  body: BatchBody,
  deleted: readonly Deleted[],
): Promise<Map<Deleted, { field: string; holder: string }>> {
  const taken = new Map<Deleted, { field: string; holder: string }>();
  const present = await findByKeys(
    transaction,
    { label: body.collection, key: body.key },
    deleted.map(({ key }) => key),
    'look',
  );
  for (const change of deleted) {
    const holder = `held by another ${body.collection} ${change.key}`;
    if (present.has(change.key)) taken.set(change, { field: body.key, holder });
  }
  const names = new Set(deleted.flatMap(({ before }) => Object.keys(before.properties)));
  const rules = await uniqueRules(transaction, [...names]);
  const wanted = deleted.flatMap((change) =>
    Object.entries(change.before.properties).map(([property, value]) => {
      return { change, id: null, labels: change.before.labels, property, value };
    }),
  );
  for (const [want, holder] of await takenValues(transaction, rules, wanted, () => new Set())) {
    const { change, property } = want as (typeof wanted)[number];
    if (!taken.has(change)) taken.set(change, { field: property, holder });
  }
  return taken;
}

/**
 * What undoing the batches before this one would have done, for a preview: internal ids of nodes that are gone then, and
 * keys (as `shortHash`) of those that are back. Where it is done for real the graph itself says so: both are empty.
 */
export interface Earlier {
  readonly left: Set<number>;
  readonly back: Set<number>;
}

export function nothingEarlier(): Earlier {
  return { left: new Set(), back: new Set() };
}

/** 48 bits of a hash: a set of numbers stays small where a set of keys would not. */
function shortHash(key: string): number {
  return hash('sha256', key, 'buffer').readUIntBE(0, 6);
}

interface Gone {
  readonly changes: readonly NodeChange[];
  readonly conflicts: readonly Conflict[];
  apply(): Promise<void>;
}

/**
 * What making a batch's deleted nodes anew means now. A relationship between two of them stands in the images of both and
 * is made once; an end that is gone is reported, a key that is taken keeps the node away.
 */
export async function judgeGone(
  transaction: GraphTransaction,
  body: BatchBody,
  purpose: 'lock' | 'look',
  earlier: Earlier,
): Promise<Gone> {
  const { collection } = body;
  const deleted = body.changes.filter((change): change is Deleted => change.form === 'node' && change.before !== null);
  if (deleted.length === 0) return { changes: [], conflicts: [], apply: async () => undefined };
  const taken = await findTaken(transaction, body, deleted);
  const endOf = await holdEnds(transaction, imagesOf(deleted), purpose);
  const returning = new Set(deleted.filter((change) => !taken.has(change)).map(({ key }) => key));
  const isReturning = ({ other }: RelationshipImage) =>
    other.label === collection && other.key === body.key && returning.has(other.value);
  const isBack = ({ other }: RelationshipImage) =>
    other.label === collection && other.key === body.key && earlier.back.has(shortHash(other.value));
  const [changes, conflicts]: [(NodeChange & { readonly after: NodeImage })[], Conflict[]] = [[], []];
  for (const change of deleted) {
    const add = (field: string, reason: Conflict['reason'], theirs: Json) => {
      const base = showEncoded(change.before.properties[field] ?? null);
      conflicts.push({ collection, key: change.key, field, reason, base, ours: null, theirs });
    };
    const held = taken.get(change);
    if (held) {
      add(held.field, 'value-taken', held.holder);
      continue;
    }
    const there = (image: RelationshipImage) => isReturning(image) || isBack(image) || endOf(image) !== undefined;
    const { relationships } = change.before;
    for (const lost of relationships.filter((image) => !there(image)))
      add(lost.type, 'missing', `${lost.other.label} ${lost.other.value} is gone`);
    const after = { ...change.before, relationships: relationships.filter(there) };
    changes.push({ form: 'node', key: change.key, before: null, after });
  }
  if (purpose === 'look') for (const { key } of changes) earlier.back.add(shortHash(key));
  return { changes, conflicts, apply: () => makeAnew(transaction, changes, isReturning, endOf) };
}

async function makeAnew(
  transaction: GraphTransaction,
  changes: readonly { readonly key: string; readonly after: NodeImage }[],
  isReturning: (image: RelationshipImage) => boolean,
  endOf: FindEnd,
): Promise<void> {
  const made = await createNodeRecords(
    transaction,
    changes.map(({ after }) => decodeImage(after)),
  );
  const idOf = new Map(changes.map(({ key }, i) => [key, made[i]?.id as bigint]));
  const rows = changes.flatMap(({ key, after }) =>
    after.relationships.flatMap((image) => {
      const both = isReturning(image);
      // The other one's image holds it, too, as `out`.
      if (both && image.direction === 'in') return [];
      const other = both ? idOf.get(image.other.value) : endOf(image);
      const properties = decodeProperties(image.properties);
      const { type, direction } = image;
      return [{ node: idOf.get(key) as bigint, other: other as bigint, type, direction, properties }];
    }),
  );
  await createRelationshipRecords(transaction, rows);
}
