import { createHash } from 'node:crypto';
import type { Json } from '../../shared/json.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Conflict } from '../system.ts';
import type { Change, Intent, Outcome } from './change.ts';
import type { Cluster } from './client.ts';
import type { Manifest } from './manifest.ts';

export interface StepKey {
  readonly runId: string;
  readonly stepId: string;
}

/** A part of a step is what is done in one go: one service, or all marks. Parts are numbered from 0. */
export interface PartKey extends StepKey {
  readonly part: number;
}

/**
 * One ConfigMap a run and step in the home namespace: an intent and an outcome for each part, sealed, for manifests hold
 * secrets. The first writer of an entry wins.
 */
export interface JournalStore {
  readIntent(key: PartKey): Promise<Intent | null>;
  /** Answers the one that stands: this one, or another process's that was first. */
  writeIntent(key: PartKey, intent: Intent): Promise<Intent>;
  readOutcome(key: PartKey): Promise<Outcome | null>;
  writeOutcome(key: PartKey, outcome: Outcome): Promise<Outcome>;
  /** Numbers of the parts that were begun, in ascending order. */
  listParts(key: StepKey): Promise<readonly number[]>;
  /** Steps of a run that wrote something. */
  listSteps(runId: string): Promise<readonly string[]>;
  /** What the steps of a run did, without what was left alone; in no order. */
  readChanges(runId: string): Promise<readonly Change[]>;
  /** What an undo of the step kept, in order, at most `limit`. */
  conflicts(key: StepKey, limit: number): Promise<readonly Conflict[]>;
  /** An entry of a kind's own beside intents and outcomes, for example the name of a Job. The first writer wins. */
  readEntry(key: StepKey, entry: string): Promise<Json>;
  writeEntry(key: StepKey, entry: string, value: Json): Promise<Json>;
}

const labels = { 'tas-bot/journal': 'true' };

export function createJournal(cluster: Cluster, seal: Seal): JournalStore {
  const objectOf = (key: StepKey) => ({ kind: 'ConfigMap', namespace: cluster.home, name: nameOf(key) }) as const;
  const sealLabel = (key: StepKey, entry: string): string => `${key.runId}/${key.stepId}/${entry}`;

  const open = async <T>(key: StepKey, entry: string, found: Manifest | null): Promise<T | null> => {
    const sealed = bodiesOf(found)[entry];
    if (sealed === undefined) return null;
    const plain = await seal.open(Buffer.from(sealed, 'base64'), sealLabel(key, entry));
    return JSON.parse(plain.toString()) as T;
  };
  const read = async <T>(key: StepKey, entry: string): Promise<T | null> =>
    open<T>(key, entry, await cluster.get(objectOf(key)));

  const write = async <T>(key: StepKey, entry: string, value: T): Promise<T> => {
    const sealed = await seal.seal(Buffer.from(JSON.stringify(value)), sealLabel(key, entry));
    const body = sealed.toString('base64');
    for (;;) {
      const found = await cluster.get(objectOf(key));
      const first = await open<T>(key, entry, found);
      if (first !== null) return first;
      if (found === null) {
        const annotations = { 'tas-bot/run': key.runId, 'tas-bot/step': key.stepId };
        const metadata = { name: nameOf(key), labels: { ...labels, 'tas-bot/run': runLabel(key.runId) }, annotations };
        if (await cluster.create('ConfigMap', cluster.home, { metadata, binaryData: { [entry]: body } })) return value;
        continue;
      }
      const operation = { op: 'add' as const, path: `/binaryData/${entry}`, value: body };
      if (await cluster.patch(objectOf(key), found.metadata.resourceVersion, [operation])) return value;
    }
  };

  const listParts = async (key: StepKey): Promise<readonly number[]> => partsOf(await cluster.get(objectOf(key)));

  const listOf = async (runId: string): Promise<readonly Manifest[]> => {
    const found = await cluster.list('ConfigMap', cluster.home, { labels: `tas-bot/run=${runLabel(runId)}` });
    return found.filter(({ metadata }) => metadata.annotations?.['tas-bot/run'] === runId);
  };

  return {
    readIntent: (key) => read(key, entryOf(key.part, 'intent')),
    writeIntent: (key, intent) => write(key, entryOf(key.part, 'intent'), intent),
    readOutcome: (key) => read(key, entryOf(key.part, 'done')),
    writeOutcome: (key, outcome) => write(key, entryOf(key.part, 'done'), outcome),
    listParts,
    listSteps: async (runId) => (await listOf(runId)).map(stepOf).sort(),
    async readChanges(runId) {
      const changes: Change[] = [];
      for (const found of await listOf(runId)) {
        const key = { runId, stepId: stepOf(found) };
        for (const part of partsOf(found)) {
          const intent = await open<Intent>(key, entryOf(part, 'intent'), found);
          const outcome = await open<Outcome>(key, entryOf(part, 'done'), found);
          const left = new Set(outcome?.lost.map(({ change }) => change));
          changes.push(...(intent?.changes ?? []).filter((_change, number) => !left.has(number)));
        }
      }
      return changes;
    },
    async conflicts(key, limit) {
      const found = await cluster.get(objectOf(key));
      const conflicts: Conflict[] = [];
      for (const part of partsOf(found)) {
        const intent = await open<Intent>(key, entryOf(part, 'intent'), found);
        const outcome = await open<Outcome>(key, entryOf(part, 'done'), found);
        conflicts.push(...(intent?.conflicts ?? []), ...(outcome?.lost ?? []).map(({ conflict }) => conflict));
      }
      return conflicts.slice(0, limit);
    },
    readEntry: (key, entry) => read<Json>(key, `own.${entry}`),
    writeEntry: (key, entry, value) => write<Json>(key, `own.${entry}`, value),
  };
}

function stepOf({ metadata }: Manifest): string {
  return metadata.annotations?.['tas-bot/step'] ?? '';
}

function bodiesOf(found: Manifest | null): { readonly [entry: string]: string } {
  return (found?.binaryData ?? {}) as { readonly [entry: string]: string };
}

function partsOf(found: Manifest | null): number[] {
  const names = Object.keys(bodiesOf(found)).filter((name) => name.endsWith('.intent'));
  return names.map((name) => Number(name.split('.')[0])).sort((a, b) => a - b);
}

function entryOf(part: number, what: 'intent' | 'done'): string {
  return `${String(part).padStart(9, '0')}.${what}`;
}

function nameOf({ runId, stepId }: StepKey): string {
  return `tas-journal-${createHash('sha256')
    .update(JSON.stringify([runId, stepId]))
    .digest('hex')
    .slice(0, 32)}`;
}

/** Labels take fewer characters than run ids may have. */
export function runLabel(runId: string): string {
  return createHash('sha256').update(runId).digest('hex').slice(0, 32);
}
