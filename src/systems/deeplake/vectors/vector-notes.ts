import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import type { Conflict } from '../../system.ts';
import { readFile, writeFile } from '../journal-store.ts';
import type { VectorSetting } from './vector-store.ts';

/** What a step is going to do and has done, in small files beside the datasets: the first writer of a note wins. */
export interface VectorNotes {
  /** Keeps the note under this name, or answers the one that is there already. */
  keep<T extends Json>(step: StepKey, name: string, note: T, schema: z.ZodType<T>): Promise<T>;
  /** Null = there is none. */
  read<T>(step: StepKey, name: string, schema: z.ZodType<T>): Promise<T | null>;
  /** Names that begin with this, in order. */
  list(step: StepKey, prefix: string): Promise<string[]>;
}

export interface StepKey {
  readonly runId: string;
  readonly stepId: string;
}

export function vectorNotes({ worker }: VectorSetting): VectorNotes {
  const folder = ({ runId, stepId }: StepKey): string =>
    `vectors/${encodeURIComponent(runId)}/${encodeURIComponent(stepId)}`;
  const read = async <T>(step: StepKey, name: string, schema: z.ZodType<T>): Promise<T | null> => {
    const file = await readFile(worker, `${folder(step)}/${name}`);
    return file === null ? null : schema.parse(JSON.parse(file.content.toString()));
  };
  return {
    read,
    async keep(step, name, note, schema) {
      const written = await writeFile(worker, `${folder(step)}/${name}`, Buffer.from(JSON.stringify(note)), null);
      const there = written ? note : await read(step, name, schema);
      if (there === null) throw new Error(`the note ${name} of ${step.stepId} has gone`);
      return there;
    },
    async list(step, prefix) {
      const answer = z.object({ names: z.array(z.string()) });
      const { names } = await worker.call('file-list', { name: folder(step) }, answer);
      return names.filter((name) => name.startsWith(prefix)).sort();
    },
  };
}

const conflictsSchema = z.array(
  z.object({
    collection: z.string(),
    key: z.string(),
    field: z.string(),
    reason: z.enum(['changed-since', 'referred-to', 'value-taken', 'missing', 'coupled']),
    base: z.json(),
    ours: z.json(),
    theirs: z.json(),
  }),
);

/** Keeps what an undo left as it is; `name` makes it once. */
export async function keepConflicts(
  notes: VectorNotes,
  step: StepKey,
  name: string,
  conflicts: readonly Conflict[],
): Promise<void> {
  if (conflicts.length > 0)
    await notes.keep(
      step,
      `conflicts-${name}`,
      conflicts.map((one) => ({ ...one })),
      conflictsSchema,
    );
}

/** What an undo of these kinds left as it is, for the journal of the system. */
export async function readVectorConflicts(setting: VectorSetting, step: StepKey, limit: number): Promise<Conflict[]> {
  const notes = vectorNotes(setting);
  const found: Conflict[] = [];
  for (const name of await notes.list(step, 'conflicts-')) {
    if (found.length >= limit) break;
    found.push(...((await notes.read(step, name, conflictsSchema)) ?? []));
  }
  return found.slice(0, limit);
}
