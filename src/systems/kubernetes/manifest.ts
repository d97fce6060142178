import { z } from 'zod';
import type { Json } from '../../shared/json.ts';

const json: z.ZodType<Json> = z.json();
const texts = z.record(z.string(), z.string());

/** What every object has; all that it holds besides stays as the server said it. */
export const manifestSchema = z
  .object({
    metadata: z
      .object({
        name: z.string(),
        namespace: z.string().default(''),
        uid: z.string().default(''),
        resourceVersion: z.string().default(''),
        generation: z.number().optional(),
        creationTimestamp: z.string().nullish(),
        deletionTimestamp: z.string().optional(),
        labels: texts.optional(),
        annotations: texts.optional(),
        ownerReferences: z
          .array(
            z
              .object({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().optional() })
              .catchall(json),
          )
          .optional(),
      })
      .catchall(json),
  })
  .catchall(json);
export type Manifest = z.infer<typeof manifestSchema>;

export const pageSchema = z.object({
  metadata: z.object({ continue: z.string().optional() }),
  items: z
    .array(manifestSchema)
    .nullish()
    .transform((items) => items ?? []),
});
