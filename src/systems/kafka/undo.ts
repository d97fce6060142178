import { digestOf } from '../../shared/json.ts';
import type { Finding } from '../finding.ts';
import { KeptTally } from '../kept-tally.ts';
import type { BatchRequest, Conflict, Sample, StepPreview, UndoBatchResult, UndoContext } from '../system.ts';
import { runBatch } from './batch.ts';
import {
  type Change,
  type ConfigChange,
  entriesOf,
  type Intent,
  imagesOf,
  type OffsetsChange,
  type TopicChange,
} from './change.ts';
import { readMembers, readPositions } from './groups.ts';
import type { KindSetting } from './journal-store.ts';
import { readEnds, readTopic } from './topics.ts';

/** Batch i undoes the original's last batch but i, and journals itself in the same form. */
export async function undoBatch(
  setting: KindSetting,
  batch: BatchRequest,
  context: UndoContext,
): Promise<UndoBatchResult> {
  const total = await setting.journal.countBatches(context.undoes.runId, context.undoes.stepId);
  if (batch.index >= total) return { cursor: null, done: 0, kept: 0, missing: 0 };
  return runBatch(setting, context, batch, async () => {
    const cursor = batch.index + 1 < total ? batch.index + 1 : null;
    return { ...(await planUndo(setting, context, total - 1 - batch.index)), cursor };
  });
}

/** Compares everything in the run's journal with what stands there now. */
export async function previewUndo(setting: KindSetting, context: UndoContext): Promise<StepPreview> {
  const total = await setting.journal.countBatches(context.undoes.runId, context.undoes.stepId);
  const samples: Sample[] = [];
  const entries: string[] = [];
  const kept = new KeptTally();
  const running: string[] = [];
  for (let index = total - 1; index >= 0; index -= 1) {
    context.signal.throwIfAborted();
    const planned = await planUndo(setting, context, index);
    for (const conflict of planned.conflicts) kept.add(conflict);
    for (const change of planned.changes) {
      entries.push(...entriesOf(change));
      if (samples.length < 5) samples.push(imagesOf(change));
      if (change.did === 'offsets' && !(await isIdle(setting, change.group))) running.push(change.group);
    }
  }
  return {
    count: entries.length,
    exact: true,
    keysHash: digestOf(entries.sort()),
    schemaHash: digestOf({ system: setting.system }),
    samples,
    undoClass: 'reversible',
    locks: [],
    bytes: entries.length * 400,
    findings: [...kept.findings(), ...groupsRunning([...new Set(running)])],
    kept: kept.kept(),
  };
}

/** Positions of a group can be set while it has no consumers only. */
export function groupsRunning(groups: readonly string[]): Finding[] {
  if (groups.length === 0) return [];
  const title = 'Consumers of these groups run: they would write over the positions';
  const advice = 'Stop the services that read with these groups first; the step refuses to begin while they run.';
  return [
    { check: 'groups-idle', title, status: 'warning', count: groups.length, samples: groups.slice(0, 5), advice },
  ];
}

export async function isIdle({ connection }: KindSetting, group: string): Promise<boolean> {
  const { state } = await readMembers(connection, group);
  return state === 'absent' || state === 'empty';
}

async function planUndo(setting: KindSetting, context: UndoContext, index: number): Promise<Intent> {
  const key = { ...context.undoes, index };
  const original = await setting.journal.readIntent(key);
  if (!original) throw new Error(`the journal has no batch ${key.runId}/${key.stepId}/${index}`);
  const lost = new Set((await setting.journal.readOutcome(key))?.lost);
  const changes: Change[] = [];
  const conflicts: Conflict[] = [];
  for (const change of [...original.changes].reverse()) {
    const inverse = await invert(setting, change, lost);
    if (inverse.change) changes.push(inverse.change);
    conflicts.push(...inverse.conflicts);
  }
  const missing = conflicts.filter(({ reason }) => reason === 'missing').length;
  return { version: 1, changes, conflicts, missing, cursor: null };
}

interface Inverse {
  readonly change: Change | null;
  readonly conflicts: readonly Conflict[];
}

const nothing: Inverse = { change: null, conflicts: [] };

function invert(setting: KindSetting, change: Change, lost: ReadonlySet<string>): Promise<Inverse> | Inverse {
  switch (change.did) {
    case 'make-topic':
      return lost.has(change.topic) ? nothing : invertMake(setting, change);
    case 'drop-topic':
      return lost.has(change.topic) ? nothing : invertDrop(setting, change);
    case 'config':
      return invertConfig(setting, change, lost);
    case 'offsets':
      return invertOffsets(setting, change, lost);
  }
}

/** Only a topic that is as the run made it, without a message that was ever in it, may go. */
async function invertMake({ connection }: KindSetting, change: TopicChange): Promise<Inverse> {
  const { topic, partitions, replication, config } = change;
  const found = await readTopic(connection, topic);
  const conflict = (field: string, ours: Conflict['ours'], theirs: Conflict['theirs']): Inverse => ({
    change: null,
    conflicts: [{ collection: 'topics', key: topic, field, reason: 'changed-since', base: null, ours, theirs }],
  });
  if (!found) {
    const gone = { collection: 'topics', key: topic, field: 'name', reason: 'missing' as const };
    return { change: null, conflicts: [{ ...gone, base: null, ours: topic, theirs: null }] };
  }
  const written = (await readEnds(connection, topic)).reduce((sum, { high }) => sum + high, 0n);
  if (written > 0n) return conflict('messages', 0, Number(written));
  if (found.partitions !== partitions) return conflict('partitions', partitions, found.partitions);
  const names = [...new Set([...Object.keys(config), ...Object.keys(found.config)])].sort();
  const other = names.find((name) => config[name] !== found.config[name]);
  if (other !== undefined) return conflict(other, config[other] ?? null, found.config[other] ?? null);
  return { change: { did: 'drop-topic', topic, partitions, replication, config }, conflicts: [] };
}

async function invertDrop({ connection }: KindSetting, change: TopicChange): Promise<Inverse> {
  const { topic } = change;
  if ((await readTopic(connection, topic)) === null) return { change: { ...change, did: 'make-topic' }, conflicts: [] };
  const taken = { collection: 'topics', key: topic, field: 'name', reason: 'value-taken' as const };
  return { change: null, conflicts: [{ ...taken, base: topic, ours: null, theirs: topic }] };
}

async function invertConfig(
  { connection }: KindSetting,
  { topic, before, after }: ConfigChange,
  lost: ReadonlySet<string>,
): Promise<Inverse> {
  const found = await readTopic(connection, topic);
  const [from, to]: [Record<string, string | null>, Record<string, string | null>] = [{}, {}];
  const conflicts: Conflict[] = [];
  for (const [name, ours] of Object.entries(after)) {
    const base = before[name] ?? null;
    const theirs = found?.config[name] ?? null;
    if (lost.has(`${topic} ${name}`) || (found && theirs === base)) continue;
    if (found && theirs === ours) [from[name], to[name]] = [ours, base];
    else {
      const reason = found ? 'changed-since' : 'missing';
      conflicts.push({ collection: 'topics', key: topic, field: name, reason, base, ours, theirs });
    }
  }
  const change = Object.keys(to).length === 0 ? null : ({ did: 'config', topic, before: from, after: to } as const);
  return { change, conflicts };
}

async function invertOffsets(
  { connection }: KindSetting,
  { group, topic, before, after }: OffsetsChange,
  lost: ReadonlySet<string>,
): Promise<Inverse> {
  const all = await readPositions(connection, group);
  const now = all.get(topic);
  const [from, to]: [Record<string, string | null>, Record<string, string | null>] = [{}, {}];
  const conflicts: Conflict[] = [];
  const conflict = (partition: string, reason: Conflict['reason'], theirs: string | null): void => {
    const field = `${topic}/${partition}`;
    const [base, ours] = [before[partition] ?? null, after[partition] ?? null];
    conflicts.push({ collection: 'groups', key: group, field, reason, base, ours, theirs });
  };
  for (const [partition, ours] of Object.entries(after)) {
    const base = before[partition] ?? null;
    const theirs = now?.get(Number(partition))?.toString() ?? null;
    if (lost.has(`${group} ${topic}/${partition}`) || theirs === base) continue;
    if (theirs === ours) [from[partition], to[partition]] = [ours, base];
    else conflict(partition, theirs === null ? 'missing' : 'changed-since', theirs);
  }
  // A single position cannot be taken away, only all of a group's: that is right where all of them are the run's.
  const positions = [...all.values()].reduce((sum, partitions) => sum + partitions.size, 0);
  const none = Object.keys(to).filter((partition) => to[partition] === null);
  if (none.length > 0 && none.length < positions) {
    for (const partition of none) {
      conflict(partition, 'coupled', from[partition] ?? null);
      delete from[partition];
      delete to[partition];
    }
  }
  const change =
    Object.keys(to).length === 0 ? null : ({ did: 'offsets', group, topic, before: from, after: to } as const);
  return { change, conflicts };
}
