import { Failure } from '../../shared/failure.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { LookupQuery, Row, ScanQuery, Violations } from '../system.ts';
import { inParallel, listLatest, readLatest } from './objects.ts';
import type { S3 } from './s3.ts';
import { brokenFields, fieldOf, fieldsOf, parseRule, parseSelection, select } from './selection.ts';

/** Objects by key, one question each; by another field, all objects are looked through. */
export async function lookup(s3: S3, query: LookupQuery, keys: readonly string[]): Promise<Map<string, JsonObject>> {
  checkCollection(s3, query.collection);
  const found = new Map<string, JsonObject>();
  if (keys.length === 0) return found;
  if (query.by === 'key') {
    for (const entry of await inParallel(keys, 8, (key) => readLatest(s3, key))) {
      if (entry) found.set(entry.key, fieldsOf(entry, query.fields));
    }
    return found;
  }
  const wanted = new Set(keys);
  for await (const entry of listLatest(s3)) {
    const value = String(fieldOf(entry, query.by));
    if (wanted.has(value) && !found.has(value)) found.set(value, fieldsOf(entry, query.fields));
    if (found.size === wanted.size) break;
  }
  return found;
}

export async function* scan(s3: S3, query: ScanQuery): AsyncIterable<Row> {
  checkCollection(s3, query.collection);
  if (query.key !== 'key') {
    throw new Failure({
      code: 'invalid-statement',
      message: `${s3.place.system}: objects are scanned by key, not by ${query.key}.`,
      advice: 'Name `key` as the key.',
    });
  }
  const selection = query.where === undefined ? {} : parseSelection(query.where);
  const after = query.after === undefined ? {} : { after: query.after };
  for await (const entry of listLatest(s3, { ...after, prefix: selection.prefix ?? '' })) {
    if (select(selection, entry)) yield { key: entry.key, values: fieldsOf(entry, query.fields) };
  }
}

/** Reads the statement first, so that a wrong one is told before anything is listed. */
export async function violations(s3: S3, statement: string): Promise<Violations> {
  const rule = parseRule(statement);
  const samples: JsonObject[] = [];
  let count = 0;
  for await (const entry of listLatest(s3, { prefix: rule.prefix ?? '' })) {
    const broken = brokenFields(rule, entry);
    if (broken.length === 0) continue;
    count += 1;
    if (samples.length < 5) samples.push({ key: entry.key, ...fieldsOf(entry, broken) });
  }
  return { count, samples };
}

function checkCollection(s3: S3, collection: string): void {
  if (collection === s3.bucket) return;
  throw new Failure({
    code: 'invalid-statement',
    message: `${s3.place.system} looks after the bucket ${s3.bucket}, not ${collection}.`,
    advice: 'Name this bucket as the collection, or add a system for the other one.',
  });
}
