import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { Fingerprint, LookupQuery, Row, ScanQuery, Violations } from '../system.ts';
import { describeDataset, listAll } from './setting.ts';
import type { Worker } from './worker.ts';

const values = z.record(z.string(), z.json());
const rowsSchema = z.strictObject({
  rows: z.array(z.strictObject({ key: z.string(), values })),
  next: z.string().nullable(),
});
const foundSchema = z.strictObject({ found: z.record(z.string(), values) });
const violationsSchema = z.strictObject({ count: z.number(), samples: z.array(z.record(z.string(), z.string())) });
const page = 500;

export async function lookup(
  worker: Worker,
  { collection, by, fields }: LookupQuery,
  keys: readonly string[],
): Promise<Map<string, JsonObject>> {
  if (keys.length === 0) return new Map();
  const { found } = await worker.call('lookup', { dataset: collection, by, fields, keys }, foundSchema);
  return new Map(Object.entries(found)) as Map<string, JsonObject>;
}

/** Vectors of one dataset in the order of their ids. `where`: `{"field": "pattern of the whole value" or null}`. */
export async function* scan(worker: Worker, query: ScanQuery): AsyncIterable<Row> {
  if (query.key !== 'id') {
    throw new Failure({
      code: 'wrong-use',
      message: `${query.collection}: vectors are read in the order of their id, not of ${query.key}.`,
      advice: 'Scan by id.',
    });
  }
  const where = query.where === undefined ? undefined : parseJson(whereSchema, query.where);
  const params = { dataset: query.collection, fields: query.fields, limit: page, ...(where ? { where } : {}) };
  for (let after = query.after ?? null; ; ) {
    const found = await worker.call('rows', { ...params, ...(after === null ? {} : { after }) }, rowsSchema);
    for (const row of found.rows) yield row as Row;
    if (found.next === null) return;
    after = found.next;
  }
}

const pattern = z.string().max(1_000).nullable();
const whereSchema = z.record(z.string(), pattern);
const statementSchema = z
  .strictObject({
    datasets: z.string().max(300),
    match: z.string().max(1_000).optional(),
    where: whereSchema.optional(),
    must: whereSchema.optional(),
    unique: z.string().optional(),
    same: z.array(z.string()).min(1).optional(),
  })
  .refine(
    ({ must, unique, same }) => must !== undefined || unique !== undefined || same !== undefined,
    'say what vectors must hold, what is unique, or what is the same in all vectors of a dataset',
  );

/** A check as JSON; see the README. The worker opens datasets for reading only. */
export async function violations(worker: Worker, statement: string): Promise<Violations> {
  const { count, samples } = await worker.call('violations', parseJson(statementSchema, statement), violationsSchema);
  return { count, samples };
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure({
      code: 'invalid-statement',
      message: 'This is no condition over vectors.',
      advice: 'Write JSON such as {"datasets": "tenants/*/default", "must": {"metadata.tenant_id": "tenant_\\\\d+"}}.',
      cause,
    });
  }
}

const fingerprintSchema = z.strictObject({
  count: z.number(),
  dimension: z.number().nullable(),
  version: z.string(),
  hash: z.string(),
});
export type DatasetFingerprint = z.infer<typeof fingerprintSchema>;

/** One dataset's count, dimension, head and a hash over all vectors and fields, whatever their order. */
export function fingerprintOf(worker: Worker, dataset: string, signal?: AbortSignal): Promise<DatasetFingerprint> {
  const timeLimitMs = 3_600_000;
  return worker.call('fingerprint', { dataset }, fingerprintSchema, { timeLimitMs, ...(signal ? { signal } : {}) });
}

export async function counts(worker: Worker): Promise<Fingerprint['counts']> {
  const found: Record<string, number> = {};
  for (const dataset of await listAll(worker)) found[dataset] = (await describeDataset(worker, dataset)).count;
  return found;
}
