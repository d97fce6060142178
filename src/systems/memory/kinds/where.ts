import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import { byCodePoint, type MemoryStore } from '../memory-store.ts';

/** Records whose field holds this value; null stands for a field that is absent or null. */
export const whereSchema = z.strictObject({
  field: z.string(),
  equals: z.union([z.string(), z.number(), z.boolean(), z.null()]),
});

/** Keys after the cursor of the records that match, in order. */
export function matchingKeys(
  store: MemoryStore,
  input: { readonly collection: string; readonly where?: z.infer<typeof whereSchema> | undefined },
  cursor: Json,
): string[] {
  const { collection, where } = input;
  return store
    .keys(collection)
    .filter((key) => typeof cursor !== 'string' || byCodePoint(key, cursor) > 0)
    .filter((key) => !where || (store.records(collection).get(key)?.[where.field] ?? null) === where.equals);
}
