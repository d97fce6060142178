import { z } from 'zod';
import { isTemplate, parseTemplate } from '../../../shared/template.ts';
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
  /** Column here → field there, or a text with fields in braces: s3://bucket/{tenant_id}/{id}. Without one of them: no value. */
  columns: z.record(z.string(), z.string()),
  /** Records that an earlier step will give the fields to: the preview counts the rows that match their keys. */
  previewFrom: sourceSchema.optional(),
});

const byExpression = z.strictObject({
  ...common,
  /** Column → SQL expression over the table's columns. */
  columns: z.record(z.string(), z.string()),
});

/** The fields that the columns of a lookup are made of, each once. */
export function fieldsOfColumns({ columns }: LookupInput): string[] {
  return [
    ...new Set(Object.values(columns).flatMap((from) => (isTemplate(from) ? parseTemplate(from).fields : [from]))),
  ];
}

export const backfillSchema = z.union([byLookup, byExpression]);
export type BackfillInput = z.infer<typeof backfillSchema>;
export type LookupInput = z.infer<typeof byLookup>;
