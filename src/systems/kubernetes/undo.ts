import { isDeepStrictEqual } from 'node:util';
import { digestOf, type JsonObject } from '../../shared/json.ts';
import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { type Change, conflictOf, type FieldsChange, type Intent, plainField, readNow } from './change.ts';
import type { Cluster } from './client.ts';
import { readField } from './fields.ts';
import type { PartKey } from './journal.ts';
import type { Manifest } from './manifest.ts';
import type { KindSetting } from './part.ts';
import { waitForChanged } from './settle.ts';
import { walkParts } from './walk.ts';
import { sayService } from './workload.ts';

/** Undoes the parts of a step, the last one first; each waits until its services are as they were before the next begins. */
export async function undoBatch(
  setting: KindSetting,
  batch: BatchRequest,
  context: UndoContext,
  withinMs: number,
): Promise<UndoBatchResult> {
  const parts = [...(await setting.journal.listParts(context.undoes))].reverse();
  return walkParts(setting, context, batch, withinMs, async (position) => {
    const part = parts[position];
    if (part === undefined) return null;
    const plan = (): Promise<Intent> => planUndo(setting, { ...context.undoes, part });
    const own = await setting.journal.readIntent({ runId: context.runId, stepId: context.stepId, part: position });
    const original = await setting.journal.readIntent({ ...context.undoes, part });
    const wait = waitForChanged(setting, context, own?.changes ?? original?.changes ?? []);
    return { plan, ...(wait ? { wait } : {}) };
  });
}

/** Compares every object of the run's journal with what stands there now. */
export async function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  const parts = [...(await setting.journal.listParts(context.undoes))].reverse();
  const samples: Sample[] = [];
  const kept = new KeptTally();
  const keys: string[] = [];
  const locks: string[] = [];
  let bytes = 0;
  for (const part of parts) {
    context.signal.throwIfAborted();
    const { changes, conflicts } = await planUndo(setting, { ...context.undoes, part });
    for (const conflict of conflicts) kept.add(conflict);
    for (const change of changes) {
      bytes += 1_000;
      if (change.aside) continue;
      keys.push(`${change.did} ${change.object.kind} ${change.object.namespace}/${change.object.name}`);
      if (samples.length < 5) samples.push(sampleOf(change));
      const lock = lockOf(change);
      if (lock) locks.push(lock);
    }
  }
  return {
    count: keys.length,
    exact: true,
    keysHash: digestOf(keys),
    schemaHash: digestOf({ system: setting.system }),
    samples,
    undoClass: 'reversible',
    locks,
    bytes,
    findings: kept.findings(),
    kept: kept.kept(),
  };
}

/** A change before and after, for people. Manifests may hold secrets: of those only the name is shown. */
export function sampleOf(change: Change): Sample {
  const { object } = change;
  const place = { collection: `${object.namespace}/${object.kind}`, key: object.name };
  if (change.did === 'create') return { ...place, before: { exists: false }, after: { exists: true } };
  if (change.did === 'remove') return { ...place, before: { exists: true }, after: { exists: false } };
  return { ...place, before: plain(change.before), after: plain(change.after) };
}

function plain(fields: FieldsChange['before']): JsonObject {
  const shown = Object.entries(fields).filter(([path]) => !path.startsWith('/metadata/annotations/tas-bot~1'));
  return Object.fromEntries(shown.map(([path, value]) => [plainField(path), value]));
}

function lockOf(change: Change): string | null {
  if (change.did !== 'fields' || !('/spec/replicas' in change.after)) return null;
  const count = Number(change.after['/spec/replicas']);
  if (count === 0) return `${sayService(change.object)} goes down until it is started again`;
  return `${sayService(change.object)} is started with ${count} ${count === 1 ? 'replica' : 'replicas'}`;
}

async function planUndo({ cluster, journal }: KindSetting, key: PartKey): Promise<Intent> {
  const original = await journal.readIntent(key);
  const outcome = await journal.readOutcome(key);
  const left = new Set((outcome?.lost ?? []).map(({ change }) => change));
  const changes: Change[] = [];
  const conflicts: Conflict[] = [];
  for (const [number, change] of [...(original?.changes ?? []).entries()].reverse()) {
    if (left.has(number)) continue;
    const inverse = await invert(cluster, change, outcome?.made[number], `${key.runId}/${key.stepId}/${key.part}`);
    changes.push(...inverse.changes);
    conflicts.push(...inverse.conflicts);
  }
  return { version: 1, changes, conflicts };
}

interface Inverse {
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
}
const nothing: Inverse = { changes: [], conflicts: [] };

async function invert(cluster: Cluster, change: Change, made: string | undefined, mark: string): Promise<Inverse> {
  const found = await cluster.get(change.object);
  const aside = change.aside ? { aside: true as const } : {};
  if (change.did === 'remove') {
    if (found !== null) return nothing;
    return { changes: [{ did: 'create', object: change.object, manifest: change.manifest, ...aside }], conflicts: [] };
  }
  if (change.did === 'create') {
    const ours =
      found !== null && (found.metadata.uid === made || found.metadata.annotations?.['tas-bot/made-by'] === mark);
    if (found === null || !ours) return nothing;
    const removal = {
      did: 'remove' as const,
      object: change.object,
      uid: found.metadata.uid,
      manifest: change.manifest,
    };
    return { changes: [{ ...removal, ...aside }], conflicts: [] };
  }
  return invertFields(change, found);
}

/**
 * Fields that hold what was before are done already; the others go back, all or none of them. What somebody changed since
 * stays, and loses our marks: whoever runs a stopped service has taken it over, and what was remembered is of no use.
 */
function invertFields(change: FieldsChange, found: Manifest | null): Inverse {
  const { object, before, after } = change;
  if (found === null || found.metadata.uid !== change.uid) {
    const values = { base: object.name, ours: object.name, theirs: null };
    return { changes: [], conflicts: [conflictOf(object, '/metadata/name', 'missing', values)] };
  }
  const holds = (path: string, values: FieldsChange['after']): boolean =>
    isDeepStrictEqual(readNow(found, change, path), values[path] ?? null);
  const open = Object.keys(after).filter((path) => !holds(path, before));
  const foreign = open.filter((path) => !holds(path, after) && !isMark(path));
  const ours = open.filter((path) => holds(path, after));
  const conflicts = foreign.map((path) => {
    const [base = null, own = null] = [before[path], after[path]];
    return conflictOf(object, path, 'changed-since', { base, ours: own, theirs: readNow(found, change, path) });
  });
  const back = foreign.length === 0 ? ours : readField(found, '/spec/replicas') === 0 ? [] : ours.filter(isMark);
  if (back.length === 0) return { changes: [], conflicts };
  const only = (values: FieldsChange['after']) => Object.fromEntries(back.map((path) => [path, values[path] ?? null]));
  const aside = back.every(isMark) ? { aside: true as const } : {};
  return { changes: [{ ...change, before: only(after), after: only(before), ...aside }], conflicts };
}

function isMark(path: string): boolean {
  return path.startsWith('/metadata/annotations/tas-bot~1');
}
