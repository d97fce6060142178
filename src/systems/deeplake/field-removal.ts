import { z } from 'zod';
import type { Conflict } from '../system.ts';
import type { RemoveFieldChange } from './change.ts';

export const judgedSchema = z.strictObject({
  /** `revert`: the head is the run's own commit. `empty`: others' values stay, the run's go. */
  action: z.enum(['gone', 'revert', 'remove', 'empty']),
  count: z.number(),
  missing: z.number(),
  conflicts: z.array(z.strictObject({ key: z.string(), ours: z.json(), theirs: z.json() })),
  version: z.string(),
});
/** What taking a field away does. */
export type Judged = z.infer<typeof judgedSchema>;
export const removalSchema = z.strictObject({ judged: judgedSchema.nullable() });

/** Values of others, told one by one. */
export function conflictsOf({ key, spec }: Pick<RemoveFieldChange, 'key' | 'spec'>, judged: Judged): Conflict[] {
  return judged.conflicts.map((one) => ({
    collection: key,
    key: one.key,
    field: spec.field,
    reason: 'changed-since',
    base: null,
    ours: one.ours,
    theirs: one.theirs,
  }));
}

/** The plan said already how many are missing. */
export function removedField(change: RemoveFieldChange, judged: Judged): { done: number; conflicts: Conflict[] } {
  return { done: judged.count, conflicts: conflictsOf(change, judged) };
}
