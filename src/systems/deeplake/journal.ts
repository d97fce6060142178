import { z } from 'zod';
import type { Conflict, Journal } from '../system.ts';
import type { AddFieldChange } from './change.ts';
import type { KindSetting } from './setting.ts';
import { readVectorConflicts } from './vectors/vector-notes.ts';

const rowsSchema = z.object({
  rows: z.array(z.object({ key: z.string(), values: z.record(z.string(), z.json()) })),
  next: z.string().nullable(),
});

/** Reads what runs wrote. */
export function createJournal(setting: KindSetting): Journal {
  return {
    async *writtenValues(runId, stepId, field) {
      for await (const { key: dataset, spec } of fieldsOf(setting, runId, stepId)) {
        if (spec.field !== field) continue;
        if (spec.from === undefined) yield [String(spec.value)];
        else yield* valuesOf(setting, dataset, field);
      }
    },
    async foreignReferences() {
      // Vectors are referred to by nothing that steps here write.
      return new Set();
    },
    async conflicts(runId, stepId, limit) {
      const conflicts: Conflict[] = [];
      const total = await setting.journal.countBatches(runId, stepId);
      for (let index = 0; index < total && conflicts.length < limit; index += 1) {
        const key = { runId, stepId, index };
        conflicts.push(
          ...(((await setting.journal.readOutcome(key)) ?? (await setting.journal.readIntent(key)))?.conflicts ?? []),
        );
      }
      if (conflicts.length < limit)
        conflicts.push(...(await readVectorConflicts(setting, { runId, stepId }, limit - conflicts.length)));
      return conflicts.slice(0, limit);
    },
  };
}

async function* fieldsOf({ journal }: KindSetting, runId: string, stepId: string): AsyncIterable<AddFieldChange> {
  const total = await journal.countBatches(runId, stepId);
  for (let index = 0; index < total; index += 1) {
    for (const change of (await journal.readIntent({ runId, stepId, index }))?.changes ?? []) {
      if (change.did === 'add-field') yield change;
    }
  }
}

async function* valuesOf({ worker }: KindSetting, dataset: string, field: string): AsyncIterable<string[]> {
  for (let after: string | null = null; ; ) {
    const params = { dataset, fields: [field], limit: 1_000, ...(after === null ? {} : { after }) };
    const found: z.infer<typeof rowsSchema> = await worker.call('rows', params, rowsSchema);
    const texts = found.rows
      .map(({ values }) => values[field])
      .filter((value) => value !== null && value !== undefined);
    if (texts.length > 0) yield [...new Set(texts.map(String))];
    if (found.next === null) return;
    after = found.next;
  }
}
