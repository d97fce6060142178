import type { Json } from '../../../shared/json.ts';
import type { Conflict, UndoContext } from '../../system.ts';
import type { Store } from '../batch.ts';
import type { BatchBody, Change, NodeImage } from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { decodeProperties } from '../encode.ts';
import { isInternalName } from '../name.ts';
import {
  type CurrentNode,
  createNodeRecords,
  createRelationshipRecords,
  decodeImage,
  findEnds,
  readNodes,
} from '../node-images.ts';
import { findByKeys } from '../records.ts';
import { showEncoded, textOf } from '../show-value.ts';
import { visibleProperties } from '../whole-nodes.ts';
import { sameValue } from './judge-fields.ts';
import { keepsTaken } from './taken.ts';
import type { Judgement } from './undo-fields.ts';
import { takenValues, uniqueRules } from './value-holders.ts';

type NodeChange = Extract<Change, { form: 'node' }>;
type Found = { readonly id: bigint | null; readonly change: NodeChange };

/** Why a created node may not go: what others changed in it, what they attached to it. Empty when it may. */
function compareNode(collection: string, key: string, made: NodeImage, now: CurrentNode): Conflict[] {
  const conflicts: Conflict[] = [];
  const add = (field: string, reason: Conflict['reason'], ours: Json, theirs: Json) =>
    conflicts.push({ collection, key, field, reason, base: null, ours, theirs });
  for (const name of new Set([...Object.keys(made.properties), ...Object.keys(now.image.properties)])) {
    if (isInternalName(name)) continue;
    const [ours, theirs] = [made.properties[name] ?? null, now.image.properties[name] ?? null];
    if (!sameValue(ours, theirs)) add(name, 'changed-since', showEncoded(ours), showEncoded(theirs));
  }
  if (made.labels.join('\0') !== now.image.labels.join('\0'))
    add('labels', 'changed-since', made.labels, now.image.labels);
  for (const relationship of now.image.relationships) {
    // A later step may have stamped it; that is nobody's edit.
    const properties = visibleProperties(relationship.properties);
    if (Object.keys(properties).length === 0) continue;
    const before = made.relationships.find(
      ({ type, other }) => type === relationship.type && other.value === relationship.other.value,
    );
    if (before && sameValue(visibleProperties(before.properties), properties)) continue;
    add(
      relationship.type,
      'changed-since',
      showEncoded({ m: before?.properties ?? {} }),
      showEncoded({ m: properties }),
    );
  }
  for (const { type, direction } of now.foreign)
    add(type, 'referred-to', null, direction === 'in' ? `<-[${type}]-` : `-[${type}]->`);
  return conflicts;
}

function gone(collection: string, { key, after }: NodeChange): Conflict {
  const ours = showEncoded({ m: after?.properties ?? {} });
  return { collection, key, field: '', reason: 'missing', base: null, ours, theirs: null };
}

/** Keys of created nodes, by field, that newer records refer to. */
async function heldValues(store: Store, context: UndoContext, collection: string, images: readonly NodeImage[]) {
  const held = new Map<string, Set<string>>();
  for (const field of new Set(images.flatMap(({ properties }) => Object.keys(properties)))) {
    const values = images.map(({ properties }) => textOf(properties[field] ?? null)).filter((value) => value !== null);
    if (values.length > 0)
      held.set(field, await context.held({ system: store.name, collection, field }, [...new Set(values)]));
  }
  return (image: NodeImage) =>
    Object.entries(image.properties).filter(([field, value]) => held.get(field)?.has(textOf(value) ?? '') === true);
}

async function judgeCreated(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
): Promise<Judgement<NodeChange>> {
  const { collection } = body;
  const created = body.changes.filter(
    (change): change is NodeChange => change.form === 'node' && change.after !== null,
  );
  const ids = await findByKeys(
    transaction,
    { label: collection, key: body.key },
    created.map(({ key }) => key),
    purpose,
  );
  const expected = new Map(
    created.flatMap(({ key, after }) => (ids.has(key) ? [[ids.get(key) as bigint, after as NodeImage]] : [])),
  );
  const nodes = await readNodes(transaction, expected);
  const heldIn = await heldValues(store, context, collection, [...expected.values()]);
  const [changes, conflicts]: [Found[], Conflict[]] = [[], []];
  for (const change of created) {
    const now = nodes.get(ids.get(change.key) as bigint);
    const made = change.after as NodeImage;
    if (!now) {
      conflicts.push(gone(collection, change));
      continue;
    }
    const changed = compareNode(collection, change.key, made, now);
    const found = context.force ? changed.filter(keepsTaken) : changed;
    for (const [field, value] of heldIn(made)) {
      if (found.some((conflict) => conflict.field === field)) continue;
      const shown = showEncoded(value);
      found.push({ collection, key: change.key, field, reason: 'referred-to', base: null, ours: shown, theirs: shown });
    }
    if (found.length > 0) conflicts.push(...found);
    else changes.push({ id: now.id, change: { form: 'node', key: change.key, before: now.image, after: null } });
  }
  return { changes, conflicts };
}

async function judgeDeleted(transaction: GraphTransaction, body: BatchBody): Promise<Judgement<NodeChange>> {
  const { collection } = body;
  const deleted = body.changes.filter(
    (change): change is NodeChange => change.form === 'node' && change.before !== null,
  );
  const images = deleted.map(({ before }) => before as NodeImage);
  const rules = await uniqueRules(transaction, [
    ...new Set(images.flatMap(({ properties }) => Object.keys(properties))),
  ]);
  const wanted = deleted.flatMap((change) =>
    Object.entries((change.before as NodeImage).properties).map(([property, value]) => ({
      change,
      id: null,
      labels: (change.before as NodeImage).labels,
      property,
      value,
    })),
  );
  const present = await findByKeys(
    transaction,
    { label: collection, key: body.key },
    deleted.map(({ key }) => key),
    'look',
  );
  const taken = new Map<NodeChange, { field: string; holder: string }>();
  for (const [want, holder] of await takenValues(transaction, rules, wanted, () => new Set())) {
    taken.set((want as (typeof wanted)[number]).change, { field: want.property, holder });
  }
  const endOf = await findEnds(
    transaction,
    images.flatMap(({ relationships }) => relationships),
  );
  const [changes, conflicts]: [Found[], Conflict[]] = [[], []];
  for (const change of deleted) {
    const image = change.before as NodeImage;
    const add = (field: string, reason: Conflict['reason'], theirs: Json) =>
      conflicts.push({
        collection,
        key: change.key,
        field,
        reason,
        base: showEncoded(image.properties[field] ?? null),
        ours: null,
        theirs,
      });
    const holder = taken.get(change);
    if (holder) add(holder.field, 'value-taken', holder.holder);
    else if (present.has(change.key)) add(body.key, 'value-taken', `held by another ${collection}`);
    if (holder || present.has(change.key)) continue;
    const relationships = image.relationships.filter((relationship) => endOf(relationship) !== undefined);
    for (const lost of image.relationships) {
      if (endOf(lost) === undefined) add(lost.type, 'missing', `${lost.other.label} ${lost.other.value} is gone`);
    }
    changes.push({
      id: null,
      change: { form: 'node', key: change.key, before: null, after: { ...image, relationships } },
    });
  }
  return { changes, conflicts };
}

/** Compares a batch's created or deleted nodes with what stands there now. */
export async function judgeNodes(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
): Promise<Judgement<NodeChange>> {
  const created = await judgeCreated(store, transaction, body, context, purpose);
  const deleted = await judgeDeleted(transaction, body);
  return { changes: [...created.changes, ...deleted.changes], conflicts: [...created.conflicts, ...deleted.conflicts] };
}

/** Deletes created nodes with their own relationships, and makes deleted ones anew: nodes, then relationships. */
export async function applyNodes(transaction: GraphTransaction, { changes }: Judgement<NodeChange>): Promise<void> {
  const ids = changes.map(({ id }) => id).filter((id) => id !== null);
  await transaction.run('MATCH (n)-[r]-() WHERE id(n) IN $ids DELETE r', { ids });
  // Not DETACH: what somebody attached at this moment makes the batch fail, and the next try sees it.
  await transaction.run('MATCH (n) WHERE id(n) IN $ids DELETE n', { ids });
  const images = changes.map(({ change }) => change.after).filter((image) => image !== null);
  const made = await createNodeRecords(transaction, images.map(decodeImage));
  const endOf = await findEnds(
    transaction,
    images.flatMap(({ relationships }) => relationships),
  );
  const relationships = images.flatMap((image, i) =>
    image.relationships.map((relationship) => ({
      node: made[i]?.id as bigint,
      other: endOf(relationship) as bigint,
      type: relationship.type,
      direction: relationship.direction,
      properties: decodeProperties(relationship.properties),
    })),
  );
  await createRelationshipRecords(transaction, relationships);
}
