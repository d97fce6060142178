import { canonicalJson, type Json } from '../../shared/json.ts';
import type { Conflict, UndoContext } from '../system.ts';
import type { Store } from './batch.ts';
import type { BatchBody, NodeImage, RelationshipImage } from './batch-body.ts';
import type { GraphTransaction } from './connection.ts';
import type { Earlier, NodeChange } from './judge-gone.ts';
import { findEnds } from './node-images.ts';
import { findByKeys } from './records.ts';
import { showEncoded, textOf } from './show-value.ts';
import { keepsTaken } from './undo/taken.ts';
import {
  deleteWholeNodes,
  readWholeNodes,
  visibleProperties,
  type WholeNode,
  type WholeRelationship,
} from './whole-nodes.ts';

type Made = NodeChange & { readonly after: NodeImage };

/** Relationships beyond the expected ones that are read of a node at most: one is enough to keep it. */
const FOREIGN_READ = 5;

interface Matched {
  readonly own: readonly RelationshipImage[];
  /** Expected ones that stand there with other properties. */
  readonly changed: readonly { readonly expected: RelationshipImage; readonly now: RelationshipImage }[];
  readonly foreign: readonly WholeRelationship[];
  /** Expected ones that are not there. */
  readonly absent: readonly RelationshipImage[];
}

/**
 * Finds the expected relationships among those that are there: equal ones first, then those that the bot stamped since, then
 * those with other properties.
 */
function matchRelationships(expected: readonly RelationshipImage[], now: readonly WholeRelationship[]): Matched {
  const nameOf = (type: string, direction: string, other: RelationshipImage['other']) =>
    JSON.stringify([type, direction, other.label, other.key, other.value]);
  const open = Map.groupBy(expected, ({ type, direction, other }) => nameOf(type, direction, other));
  const ways = [...new Map(expected.map(({ other }) => [`${other.label}\0${other.key}`, other])).values()];
  const namesOf = ({ type, direction, otherLabels, otherValues }: WholeRelationship) =>
    ways.flatMap(({ label, key }) => {
      const value = otherValues[key];
      return otherLabels.includes(label) && typeof value === 'string'
        ? [nameOf(type, direction, { label, key, value })]
        : [];
    });
  type View = (properties: RelationshipImage['properties']) => RelationshipImage['properties'];
  const take = (relationship: WholeRelationship, view: View): RelationshipImage | undefined => {
    const properties = canonicalJson(view(relationship.properties));
    for (const name of namesOf(relationship)) {
      const candidates = open.get(name) ?? [];
      const at = candidates.findIndex((image) => canonicalJson(view(image.properties)) === properties);
      if (at >= 0) return candidates.splice(at, 1)[0];
    }
    return undefined;
  };
  const own: RelationshipImage[] = [];
  let others = now;
  for (const view of [(properties) => properties, visibleProperties] satisfies View[]) {
    others = others.filter((relationship) => {
      const image = take(relationship, view);
      if (image) own.push({ ...image, properties: relationship.properties });
      return !image;
    });
  }
  const changed: { expected: RelationshipImage; now: RelationshipImage }[] = [];
  const foreign = others.filter((relationship) => {
    const image = take(relationship, () => ({}));
    if (image) changed.push({ expected: image, now: { ...image, properties: relationship.properties } });
    return !image;
  });
  return { own, changed, foreign, absent: [...open.values()].flat() };
}

/** What others did to a node since it was made. Empty when it may go. */
function compare(
  collection: string,
  { key, after: made }: Made,
  now: WholeNode,
  { changed, foreign, absent }: Matched,
): Conflict[] {
  const conflicts: Conflict[] = [];
  const add = (field: string, reason: Conflict['reason'], ours: Json, theirs: Json) =>
    conflicts.push({ collection, key, field, reason, base: null, ours, theirs });
  const [before, after] = [visibleProperties(made.properties), visibleProperties(now.properties)];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [ours, theirs] = [before[name] ?? null, after[name] ?? null];
    if (canonicalJson(ours) !== canonicalJson(theirs))
      add(name, 'changed-since', showEncoded(ours), showEncoded(theirs));
  }
  if (made.labels.join('\0') !== now.labels.join('\0')) add('labels', 'changed-since', made.labels, now.labels);
  for (const { expected, now: stands } of changed) {
    const [ours, theirs] = [expected, stands].map(({ properties }) => showEncoded({ m: properties })) as [Json, Json];
    add(expected.type, 'changed-since', ours, theirs);
  }
  for (const { type, other } of absent)
    add(type, 'changed-since', `${other.label} ${other.value}`, 'the relationship is gone');
  const types = new Map(foreign.map(({ type, direction }) => [`${direction} ${type}`, { type, direction }]));
  for (const { type, direction } of types.values())
    add(type, 'referred-to', null, direction === 'in' ? `<-[${type}]-` : `-[${type}]->`);
  return conflicts;
}

/** Values of made nodes that newer records refer to, as conflicts. */
async function heldConflicts(
  store: Store,
  context: UndoContext,
  collection: string,
  made: readonly Made[],
): Promise<(change: Made) => Conflict[]> {
  const held = new Map<string, ReadonlySet<string>>();
  for (const field of new Set(made.flatMap(({ after }) => Object.keys(after.properties)))) {
    const texts = made.map(({ after }) => textOf(after.properties[field] ?? null)).filter((text) => text !== null);
    if (texts.length === 0) continue;
    held.set(field, await context.held({ system: store.name, collection, field }, [...new Set(texts)]));
  }
  return ({ key, after }) =>
    Object.entries(after.properties).flatMap(([field, value]): Conflict[] => {
      const text = textOf(value);
      if (text === null || !held.get(field)?.has(text)) return [];
      const shown = showEncoded(value);
      return [{ collection, key, field, reason: 'referred-to', base: null, ours: shown, theirs: shown }];
    });
}

interface Judged {
  readonly changes: readonly NodeChange[];
  readonly conflicts: readonly Conflict[];
  apply(): Promise<void>;
}

/** What taking a batch's made nodes away means now: a node goes only as it was made, with nothing of others on it. */
export async function judgeMade(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
  earlier: Earlier,
): Promise<Judged> {
  const { collection } = body;
  const made = body.changes.filter((change): change is Made => change.form === 'node' && change.after !== null);
  if (made.length === 0) return { changes: [], conflicts: [], apply: async () => undefined };
  const rule = { label: collection, key: body.key };
  const ids = await findByKeys(
    transaction,
    rule,
    made.map(({ key }) => key),
    purpose,
  );
  const images = made.flatMap(({ after }) => after.relationships);
  const keys = [...new Set(images.map(({ other }) => other.key))];
  const most = Math.max(0, ...made.map(({ after }) => after.relationships.length));
  const limit = most + FOREIGN_READ + earlier.left.size;
  const nodes = await readWholeNodes(transaction, [...ids.values()], keys, { limit });
  const endOf = await findEnds(transaction, images);
  const heldIn = await heldConflicts(store, context, collection, made);
  const [changes, conflicts, leaving]: [NodeChange[], Conflict[], WholeNode[]] = [[], [], []];
  for (const change of made) {
    const now = nodes.get(ids.get(change.key) as bigint);
    if (!now) {
      const ours = showEncoded({ m: change.after.properties });
      conflicts.push({ collection, key: change.key, field: '', reason: 'missing', base: null, ours, theirs: null });
      continue;
    }
    const standing = now.relationships.filter(({ otherId }) => !earlier.left.has(Number(otherId)));
    const matched = matchRelationships(change.after.relationships, standing);
    // What went together with its other end is no loss.
    const absent = matched.absent.filter((image) => endOf(image) !== undefined);
    const changed = compare(collection, change, now, { ...matched, absent });
    const found = context.force ? changed.filter(keepsTaken) : changed;
    const told = new Set(found.map(({ field }) => field));
    found.push(...heldIn(change).filter(({ field }) => !told.has(field)));
    if (found.length > 0) {
      conflicts.push(...found);
      continue;
    }
    const relationships = [...matched.own, ...matched.changed.map((each) => each.now)];
    const before = { labels: now.labels, properties: now.properties, relationships };
    changes.push({ form: 'node', key: change.key, before, after: null });
    leaving.push(now);
  }
  if (purpose === 'look') for (const { id } of leaving) earlier.left.add(Number(id));
  return { changes, conflicts, apply: () => deleteWholeNodes(transaction, leaving) };
}
