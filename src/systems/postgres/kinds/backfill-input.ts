import { z } from 'zod';
import { sourceSchema } from './source.ts';

const common = {
  table: z.string(),
  key: z.string(),
  /** An SQL predicate over the table's columns; columns to be filled that do not exist yet are NULL in it. */
  where: z.string(),
};

const byLookup = z.strictObject({
  ...common,
  lookup: z.strictObject({
    system: z.string(),
    collection: z.string(),
    /** The field there that holds what `match` holds here. */
    by: z.string(),
    /** The column here. */
    match: z.string(),
  }),
  /** Column here → field there. */
  columns: z.record(z.string(), z.string()),
  /** Records that an earlier step will give the fields to: the preview counts the rows that match their keys. */
  previewFrom: sourceSchema.optional(),
});

const byExpression = z.strictObject({
  ...common,
  /** Column → SQL expression over the table's columns. */
  columns: z.record(z.string(), z.string()),
});

export const backfillSchema = z.union([byLookup, byExpression]);
export type BackfillInput = z.infer<typeof backfillSchema>;
export type LookupInput = z.infer<typeof byLookup>;
