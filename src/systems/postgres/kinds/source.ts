import { z } from 'zod';
import type { Json } from '../../../shared/json.ts';
import type { Row, ScanQuery, StepContext } from '../../system.ts';
import type { BoundedCount } from '../counting.ts';

/** Any JSON value. */
export const jsonSchema = z.json();

/** Records of another system that a step reads; `where` is a predicate in that system's language. */
export const sourceSchema = z.strictObject({
  system: z.string(),
  collection: z.string(),
  key: z.string(),
  where: z.string().optional(),
});
export type Source = z.infer<typeof sourceSchema>;

/** The source's records in ascending key order, after the cursor (a key; null = from the beginning). */
export function scanSource(
  source: Source,
  context: StepContext,
  columns: readonly unknown[],
  cursor: Json,
): AsyncIterable<Row> {
  const query: ScanQuery = {
    collection: source.collection,
    key: source.key,
    fields: [...new Set(columns.filter((column) => typeof column === 'string'))],
    ...(source.where === undefined ? {} : { where: source.where }),
    ...(typeof cursor === 'string' ? { after: cursor } : {}),
  };
  return context.scan(source.system, query);
}

export async function countSource(source: Source, context: StepContext, bound: BoundedCount): Promise<number> {
  let count = 0;
  for await (const page of takePages(scanSource(source, context, [], null), 1000)) {
    if (bound.isOver()) break;
    count += page.length;
  }
  return count;
}

/** Gathers what comes one by one into pages of at most `size`. */
export async function* takePages<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < size) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
