import type { Conflict, FieldRef, UndoContext } from '../system.ts';
import type { KindSetting } from './batch.ts';
import { bodiesOfRun } from './journal.ts';
import { asText, type BatchBody, type Change, type MemoryStore } from './memory-store.ts';

type Reason = Conflict['reason'] | 'as-before';

/** Which fields of which records undo leaves as they are, and why. `as-before`: nothing to do, and no conflict. */
export interface KeptFields {
  reason(change: Change, field: string): Reason | null;
}

const name = (change: Change, field: string): string => JSON.stringify([change.collection, change.key, field]);

/** Goes through the rules: changed since, referred to by newer records, coupled with a field that stays. */
export async function findKept(setting: KindSetting, body: BatchBody, context: UndoContext): Promise<KeptFields> {
  const { store } = setting;
  const kept = new Map<string, Reason>();
  const keep = (change: Change, field: string, reason: Reason): void => {
    if (!kept.has(name(change, field))) kept.set(name(change, field), reason);
  };
  const written = body.changes.filter((change) => change.after !== null);
  await findDirectReasons(store, written, context, keep);
  const elsewhere = await writtenElsewhere(setting, written, context);
  await findDirectReasons(store, elsewhere, context, keep);
  for (const group of groupsHere(store, context)) {
    for (const change of written) {
      const fields = group.filter(({ collection }) => collection === change.collection).map(({ field }) => field);
      const blocked = fields.some((field) => {
        const reason = kept.get(name(change, field));
        return reason !== undefined && reason !== 'as-before';
      });
      if (blocked) for (const field of change.fields) if (fields.includes(field)) keep(change, field, 'coupled');
    }
  }
  return { reason: (change, field) => kept.get(name(change, field)) ?? null };
}

async function findDirectReasons(
  store: MemoryStore,
  changes: readonly Change[],
  context: UndoContext,
  keep: (change: Change, field: string, reason: Reason) => void,
): Promise<void> {
  const ours = new Map<string, { ref: FieldRef; changes: Change[] }>();
  for (const change of changes) {
    const record = store.records(change.collection).get(change.key);
    const fields =
      change.before === null ? [...new Set([...change.fields, ...Object.keys(record ?? {})])] : change.fields;
    for (const field of record ? fields : []) {
      const now = JSON.stringify(record?.[field] ?? null);
      const written = JSON.stringify(change.after?.[field] ?? null);
      if (now !== written) {
        const asBefore = change.before !== null && now === JSON.stringify(change.before[field] ?? null);
        keep(
          change,
          change.fields.includes(field) ? field : (change.fields[0] ?? field),
          asBefore ? 'as-before' : 'changed-since',
        );
      } else if (asText(change.after?.[field]) !== null) {
        const id = `${change.collection}.${field}`;
        const entry = ours.get(id) ?? {
          ref: { system: store.name, collection: change.collection, field },
          changes: [],
        };
        entry.changes.push(change);
        ours.set(id, entry);
      }
    }
  }
  for (const { ref, changes: open } of ours.values()) {
    const values = new Set(open.map((change) => asText(change.after?.[ref.field]) ?? ''));
    const held = await context.held(ref, [...values]);
    for (const change of open) {
      if (held.has(asText(change.after?.[ref.field]) ?? '')) keep(change, ref.field, 'referred-to');
    }
  }
}

/** What other steps of the run wrote to coupled fields of the same records. */
async function writtenElsewhere(
  setting: KindSetting,
  written: readonly Change[],
  context: UndoContext,
): Promise<Change[]> {
  const coupled = groupsHere(setting.store, context).flat();
  if (coupled.length === 0) return [];
  const records = new Set(written.map((change) => name(change, '')));
  const found: Change[] = [];
  for (const body of await bodiesOfRun(setting.store, setting.seal, context.undoes.runId)) {
    for (const change of body.changes) {
      const here = change.fields.filter((field) =>
        coupled.some((ref) => ref.collection === change.collection && ref.field === field),
      );
      const isOther = !written.some(
        (mine) => name(mine, '') === name(change, '') && mine.fields.some((f) => here.includes(f)),
      );
      if (change.after !== null && here.length > 0 && records.has(name(change, '')) && isOther) {
        found.push({ ...change, fields: here });
      }
    }
  }
  return found;
}

function groupsHere(store: MemoryStore, context: UndoContext): FieldRef[][] {
  return context.coupled
    .map((group) => group.filter((ref) => ref.system === store.name))
    .filter((group) => group.length > 1);
}
