import type { Conflict, UndoContext } from '../../system.ts';
import type { Store } from '../batch.ts';
import {
  type BatchBody,
  type EndImage,
  type RelationshipChange,
  type RelationshipSide,
  relationshipFields,
} from '../batch-body.ts';
import type { GraphTransaction } from '../connection.ts';
import { decodeProperties, decodeValue, type Encoded, sameValue } from '../encode.ts';
import { createRelationshipRecords } from '../node-images.ts';
import { nameOf } from '../relationship-fill.ts';
import { updateRelationships } from '../relationship-rows.ts';
import { showEncoded } from '../show-value.ts';
import { STAMP } from '../whole-nodes.ts';
import { findRelationships, type Standing } from './find-relationships.ts';
import { compareFields, keepTogether, type Verdict } from './judge-fields.ts';
import { groupsOf, withdrawHeld } from './undo-fields.ts';

/** What conflicts call the type of a relationship; no property is meant. */
const TYPE = '(type)';

interface Found {
  /** The relationship as it stands; null where it is made anew. */
  readonly id: bigint | null;
  readonly ends: { readonly from: bigint; readonly to: bigint };
  readonly change: RelationshipChange;
}

/** What an undo would do to relationships: its changes, and what it leaves with the reason. */
export interface RelationshipJudgement {
  readonly changes: readonly Found[];
  readonly conflicts: readonly Conflict[];
}

function collectionOf({ before, after }: RelationshipChange): string {
  return (after ?? before)?.type ?? '';
}

function nameOfChange({ from, to }: RelationshipChange): string {
  return nameOf(from.value, to.value);
}

function showSide(side: RelationshipSide | null): Conflict['base'] {
  return side === null ? null : showEncoded({ m: side.properties });
}

/** Gone itself, or an end of it. */
function missing(change: RelationshipChange, { from, to }: Standing): Conflict {
  const gone = [from === undefined ? [change.from] : [], to === undefined ? [change.to] : []].flat();
  const say = ({ label, value }: EndImage) => `${label} ${value} is gone`;
  return {
    collection: collectionOf(change),
    key: nameOfChange(change),
    field: Object.keys(relationshipFields(change)).sort().join(', ') || TYPE,
    reason: 'missing',
    base: showSide(change.before),
    ours: showSide(change.after),
    theirs: gone.length > 0 ? gone.map(say).join(', ') : null,
  };
}

/** A relationship that stood before and after the run, with what may be put back in it. */
interface Changed {
  readonly change: RelationshipChange & { readonly before: RelationshipSide; readonly after: RelationshipSide };
  readonly now: NonNullable<Standing['now']>;
  readonly ends: Found['ends'];
  readonly verdict: Verdict;
}

function compare(change: Changed['change'], now: Changed['now'], ends: Found['ends']): Changed {
  const [collection, key] = [collectionOf(change), nameOfChange(change)];
  const current = { id: now.id, labels: [], values: now.side.properties };
  const fields = relationshipFields(change);
  const { verdicts } = compareFields(collection, [{ form: 'fields', key, fields }], new Map([[key, current]]));
  return { change, now, ends, verdict: verdicts[0] as Verdict };
}

/** The undo's own change of a relationship; null = nothing is put back. */
function putBack({ change, now, ends, verdict }: Changed): { found: Found | null; conflicts: Conflict[] } {
  const { before, after } = change;
  const conflicts = [...verdict.conflicts];
  const moves = before.type !== after.type && now.side.type === after.type;
  if (before.type !== after.type && now.side.type !== after.type && now.side.type !== before.type) {
    const [base, ours, theirs] = [before.type, after.type, now.side.type];
    const { collection, key } = { collection: collectionOf(change), key: nameOfChange(change) };
    conflicts.push({ collection, key, field: TYPE, reason: 'changed-since', base, ours, theirs });
  }
  if (verdict.open.size === 0 && !moves) return { found: null, conflicts };
  const properties: { [property: string]: Encoded } = Object.create(null);
  Object.assign(properties, now.side.properties);
  for (const name of verdict.open) {
    const value = before.properties[name] ?? null;
    if (value === null) delete properties[name];
    else properties[name] = value;
  }
  const type = moves ? before.type : now.side.type;
  // As long as something of the run is left in it, it must be found again.
  const stamp = conflicts.length > 0 ? now.side.stamp : before.stamp;
  const { key, from, to } = change;
  const put: RelationshipChange = {
    form: 'relationship',
    key,
    from,
    to,
    before: now.side,
    after: { type, stamp, properties },
  };
  return { found: { id: now.id, ends, change: put }, conflicts };
}

/** A relationship that the run made goes only if nobody wrote to it since. */
function takeAway(
  change: RelationshipChange,
  now: Changed['now'],
  ends: Found['ends'],
): { found: Found | null; conflicts: Conflict[] } {
  const after = change.after as RelationshipSide;
  const [collection, key] = [collectionOf(change), nameOfChange(change)];
  const conflicts: Conflict[] = [];
  const names = new Set([...Object.keys(after.properties), ...Object.keys(now.side.properties)]);
  for (const field of names) {
    const [ours, theirs] = [after.properties[field] ?? null, now.side.properties[field] ?? null];
    if (sameValue(ours, theirs)) continue;
    const [shownOurs, shownTheirs] = [showEncoded(ours), showEncoded(theirs)];
    conflicts.push({
      collection,
      key,
      field,
      reason: 'changed-since',
      base: null,
      ours: shownOurs,
      theirs: shownTheirs,
    });
  }
  if (conflicts.length > 0) return { found: null, conflicts };
  return { found: { id: now.id, ends, change: { ...change, before: now.side, after: null } }, conflicts };
}

async function withdrawAll(store: Store, context: UndoContext, changed: readonly Changed[]): Promise<void> {
  for (const [collection, group] of Map.groupBy(changed, ({ change }) => collectionOf(change))) {
    const verdicts = group.map(({ verdict }) => verdict);
    await withdrawHeld(store, context, collection, verdicts);
    const groups = groupsOf(store, context, collection);
    for (const verdict of verdicts) keepTogether(verdict, collection, groups);
  }
}

/** Compares a batch's relationships with what stands there now. With purpose `lock` what it says stays true until the end. */
export async function judgeRelationships(
  store: Store,
  transaction: GraphTransaction,
  body: BatchBody,
  context: UndoContext,
  purpose: 'lock' | 'look',
): Promise<RelationshipJudgement> {
  const written = body.changes.filter((change) => change.form === 'relationship');
  const left = written.map(({ from, to, after }) => ({ from, to, side: after }));
  const standing = await findRelationships(transaction, left, purpose);
  const [changes, conflicts, changed]: [Found[], Conflict[], Changed[]] = [[], [], []];
  const take = ({ found, conflicts: kept }: { found: Found | null; conflicts: Conflict[] }) => {
    if (found) changes.push(found);
    conflicts.push(...kept);
  };
  for (const [i, change] of written.entries()) {
    const { from, to, now } = standing[i] as Standing;
    const { before, after } = change;
    if (from === undefined || to === undefined || (after !== null && now === undefined)) {
      conflicts.push(missing(change, standing[i] as Standing));
      continue;
    }
    const ends = { from, to };
    if (after === null || now === undefined) {
      changes.push({ id: null, ends, change: { ...change, before: null, after: before } });
    } else if (before === null) take(takeAway(change, now, ends));
    else changed.push(compare({ ...change, before, after }, now, ends));
  }
  await withdrawAll(store, context, changed);
  for (const one of changed) take(putBack(one));
  return { changes, conflicts };
}

function stampedProperties({ stamp, properties }: RelationshipSide): { [property: string]: unknown } {
  return { ...decodeProperties(properties), ...(stamp === null ? {} : { [STAMP]: stamp }) };
}

/** What differs between the two sides, null where it goes. */
function difference(change: RelationshipChange): { [property: string]: unknown } {
  const written = Object.entries(relationshipFields(change)).map(([name, { after }]) => [name, decodeValue(after)]);
  return { ...Object.fromEntries(written), [STAMP]: change.after?.stamp ?? null };
}

/** Puts properties back, and makes relationships anew under the type that they had; what they replace goes first. */
export async function applyRelationships(
  transaction: GraphTransaction,
  { changes }: RelationshipJudgement,
): Promise<void> {
  const staying = changes.filter(
    ({ change }) => change.before !== null && change.after !== null && change.before.type === change.after.type,
  );
  const others = changes.filter((found) => !staying.includes(found));
  const gone = others.map(({ id }) => id).filter((id) => id !== null);
  if (gone.length > 0) {
    await transaction.run('UNWIND $ids AS id MATCH ()-[r]->() WHERE id(r) = id DELETE r', { ids: gone });
  }
  const anew = others.flatMap(({ ends, change: { after } }) =>
    after === null
      ? []
      : [
          {
            node: ends.from,
            other: ends.to,
            type: after.type,
            direction: 'out' as const,
            properties: stampedProperties(after),
          },
        ],
  );
  await createRelationshipRecords(transaction, anew);
  await updateRelationships(
    transaction,
    staying.map(({ id, change }) => ({ id: id as bigint, properties: difference(change) })),
  );
}
