import type { Conflict, UndoContext } from '../../system.ts';
import type { TagChange } from '../change.ts';
import { type ObjectEntry, readLatest, writeTags } from '../objects.ts';
import { type Applied, type Doing, lost, type Undoing } from './applied.ts';

type Reason = Conflict['reason'];

/** Brings the tags to what is intended. Tags that the intent does not name stay as they are. */
export async function applyTags({ setting: { s3 } }: Doing, change: TagChange): Promise<Applied> {
  const entry = await readLatest(s3, change.key);
  if (!entry || entry.versionId !== change.versionId || entry.etag !== change.etag) return lost;
  const names = Object.keys(change.after);
  const now = (name: string): string | null => entry.tags[name] ?? null;
  if (names.every((name) => now(name) === change.after[name])) return { done: true };
  if (names.some((name) => now(name) !== change.before[name] && now(name) !== change.after[name])) return lost;
  const tags = Object.entries({ ...entry.tags, ...change.after }).filter(
    (pair): pair is [string, string] => pair[1] !== null,
  );
  return { done: await writeTags(s3, change.key, change.versionId, Object.fromEntries(tags)) };
}

/** What undo makes of one object's tags: some may go back while others stay. */
export interface InverseTags {
  readonly change: TagChange | null;
  readonly conflicts: readonly Conflict[];
}

export function invertTags(
  undoing: Undoing,
  change: TagChange,
  entry: ObjectEntry | null,
  held: ReadonlySet<string>,
): InverseTags {
  const { force } = undoing.context;
  if (force) return invertTaken(undoing, change, entry, held, force);
  const reasons = reasonsOf(undoing, change, entry, held);
  const conflicts = [...reasons].flatMap(([tag, reason]) =>
    reason === null ? [] : [conflict(undoing, change, tag, reason, entry)],
  );
  const open = Object.keys(change.after).filter((tag) => !reasons.has(tag));
  if (open.length === 0) return { change: null, conflicts };
  return { change: { ...change, before: pick(change.after, open), after: pick(change.before, open) }, conflicts };
}

/**
 * The way back of the tags that people took, and of no others, whatever stands there now and in whichever version. What
 * newer records refer to stays, and what is coupled with a tag that is neither taken nor as before.
 */
function invertTaken(
  undoing: Undoing,
  change: TagChange,
  entry: ObjectEntry | null,
  held: ReadonlySet<string>,
  force: NonNullable<UndoContext['force']>,
): InverseTags {
  const { bucket } = undoing.setting.s3;
  const isTaken = (tag: string): boolean => force(bucket, change.key, `tag.${tag}`);
  const taken = Object.keys(change.after).filter(isTaken);
  const [first] = taken;
  if (first === undefined) return { change: null, conflicts: [] };
  if (!entry) return { change: null, conflicts: [conflict(undoing, change, first, 'missing', entry)] };
  const now = (tag: string): string | null => entry.tags[tag] ?? null;
  const differing = Object.keys(change.after).filter((tag) => now(tag) !== change.before[tag]);
  const alone = differing.filter((tag) => !isTaken(tag));
  const torn = coupledTags(undoing).filter((group) => alone.some((tag) => group.includes(tag)));
  const reasonFor = (tag: string): Reason | null => {
    if (now(tag) === change.after[tag] && held.has(JSON.stringify([tag, now(tag)]))) return 'referred-to';
    return torn.some((group) => group.includes(tag)) ? 'coupled' : null;
  };
  const wanted = differing.filter(isTaken);
  const open = wanted.filter((tag) => reasonFor(tag) === null);
  const conflicts = wanted.flatMap((tag) => {
    const reason = reasonFor(tag);
    return reason === null ? [] : [conflict(undoing, change, tag, reason, entry)];
  });
  if (open.length === 0) return { change: null, conflicts };
  const { versionId, etag } = entry;
  const back = { ...change, versionId, etag, before: pick(entry.tags, open), after: pick(change.before, open) };
  return { change: back, conflicts };
}

/** Groups of tags of this bucket that go together or not at all. */
function coupledTags({ setting, context }: Undoing): string[][] {
  return context.coupled.map((group) =>
    group
      .filter((ref) => ref.system === setting.system && ref.collection === setting.s3.bucket)
      .map((ref) => ref.field.replace(/^tag\./, '')),
  );
}

/** Tags that stay, with the reason; null as the reason: it is as before already. */
function reasonsOf(
  undoing: Undoing,
  change: TagChange,
  entry: ObjectEntry | null,
  held: ReadonlySet<string>,
): Map<string, Reason | null> {
  const reasons = new Map<string, Reason | null>();
  const tags = Object.keys(change.after);
  if (!entry) return new Map(tags.map((tag, i) => [tag, i === 0 ? 'missing' : null]));
  const sameVersion = entry.versionId === change.versionId && entry.etag === change.etag;
  for (const tag of tags) {
    const value = entry.tags[tag] ?? null;
    if (!sameVersion) reasons.set(tag, 'changed-since');
    else if (value === change.before[tag]) reasons.set(tag, null);
    else if (value !== change.after[tag]) reasons.set(tag, 'changed-since');
    else if (held.has(JSON.stringify([tag, value]))) reasons.set(tag, 'referred-to');
  }
  for (const together of coupledTags(undoing)) {
    if (!together.some((tag) => reasons.get(tag))) continue;
    for (const tag of tags) if (together.includes(tag) && !reasons.has(tag)) reasons.set(tag, 'coupled');
  }
  return reasons;
}

/** Which of the written values newer records refer to, as `[tag, value]`. */
export async function findHeldTags({ setting, context }: Undoing, written: readonly TagChange[]): Promise<Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const { after } of written) {
    for (const [tag, value] of Object.entries(after)) {
      if (value !== null) values.set(tag, (values.get(tag) ?? new Set()).add(value));
    }
  }
  const found = new Set<string>();
  for (const [tag, all] of values) {
    const field = { system: setting.system, collection: setting.s3.bucket, field: `tag.${tag}` };
    for (const value of await context.held(field, [...all])) found.add(JSON.stringify([tag, value]));
  }
  return found;
}

function conflict(
  { setting }: Undoing,
  change: TagChange,
  tag: string,
  reason: Reason,
  entry: ObjectEntry | null,
): Conflict {
  return {
    collection: setting.s3.bucket,
    key: change.key,
    field: `tag.${tag}`,
    reason,
    base: change.before[tag] ?? null,
    ours: change.after[tag] ?? null,
    theirs: entry?.tags[tag] ?? null,
  };
}

function pick(tags: TagChange['after'], names: readonly string[]): TagChange['after'] {
  return Object.fromEntries(names.map((name) => [name, tags[name] ?? null]));
}
