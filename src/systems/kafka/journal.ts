import type { Conflict, Journal } from '../system.ts';
import { type Change, entriesOf } from './change.ts';
import type { BatchKey, JournalStore } from './journal-store.ts';

/** Reads what runs did here. No record of another system refers to what is written here, so nothing is held. */
export function createJournal(store: JournalStore): Journal {
  return {
    async *writtenValues() {},
    foreignReferences: () => Promise.resolve(new Set()),
    async conflicts(runId, stepId, limit) {
      const conflicts: Conflict[] = [];
      const total = await store.countBatches(runId, stepId);
      for (let index = 0; index < total && conflicts.length < limit; index += 1) {
        conflicts.push(...(await conflictsOf(store, { runId, stepId, index })));
      }
      return conflicts.slice(0, limit);
    },
  };
}

/** Those that were seen when the batch was planned, and those that came in between. */
async function conflictsOf(store: JournalStore, key: BatchKey): Promise<Conflict[]> {
  const [intent, outcome] = await Promise.all([store.readIntent(key), store.readOutcome(key)]);
  const lost = new Set(outcome?.lost);
  const late = (intent?.changes ?? []).flatMap((change) => lateConflicts(change, lost));
  return [...(intent?.conflicts ?? []), ...late];
}

function lateConflicts(change: Change, lost: ReadonlySet<string>): Conflict[] {
  const reason = 'changed-since' as const;
  if (!('after' in change)) {
    const all = {
      collection: 'topics',
      key: change.topic,
      field: 'messages',
      reason,
      base: null,
      ours: 0,
      theirs: null,
    };
    return entriesOf(change).some((entry) => lost.has(entry)) ? [all] : [];
  }
  const [collection, key, prefix] =
    change.did === 'config'
      ? ['topics', change.topic, `${change.topic} `]
      : ['groups', change.group, `${change.group} ${change.topic}/`];
  const names = Object.keys(change.after).filter((name) => lost.has(`${prefix}${name}`));
  return names.map((name) => {
    const field = change.did === 'config' ? name : `${change.topic}/${name}`;
    const [base, ours] = [change.after[name] ?? null, change.before[name] ?? null];
    return { collection, key, field, reason, base, ours, theirs: null };
  });
}
