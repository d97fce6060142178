import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { LookupQuery, Row, ScanQuery } from '../system.ts';
import type { Connection } from './connection.ts';
import { sumOf } from './drain.ts';
import { listGroups, readMembers } from './groups.ts';
import { lookAtGroups } from './look.ts';
import { listTopics, readEnds, readTopics } from './topics.ts';

/** A topic: name, partitions, replication, messages, end, config.<setting>. A group: name, state, members, lag. */
type Fields = { readonly [field: string]: Json };

/** A scan's `where`: `{"match": "<regular expression over the name>"}`. */
const whereSchema = z.strictObject({ match: z.string() });

export async function lookup(
  connection: Connection,
  query: LookupQuery,
  keys: readonly string[],
): Promise<Map<string, JsonObject>> {
  const wanted = new Set(keys);
  const found = new Map<string, JsonObject>();
  if (keys.length === 0) return found;
  for await (const { name, fields } of recordsOf(connection, query.collection, () => true)) {
    const value = String(query.by === 'name' ? name : fields[query.by]);
    if (wanted.has(value) && !found.has(value)) found.set(value, pick(fields, query.fields));
  }
  return found;
}

export async function* scan(connection: Connection, query: ScanQuery): AsyncIterable<Row> {
  if (query.key !== 'name') throw invalid(`${query.collection} are scanned by name, not by ${query.key}`);
  const match = query.where === undefined ? null : parseWhere(query.where);
  const meant = (name: string): boolean =>
    (query.after === undefined || name > query.after) && (match === null || match.test(name));
  for await (const { name, fields } of recordsOf(connection, query.collection, meant)) {
    yield { key: name, values: pick(fields, query.fields) };
  }
}

async function* recordsOf(
  connection: Connection,
  collection: string,
  meant: (name: string) => boolean,
): AsyncIterable<{ name: string; fields: Fields }> {
  if (collection === 'topics') {
    for (const topic of await readTopics(connection, (await listTopics(connection)).filter(meant))) {
      const { name, partitions, replication, config } = topic;
      const ends = await readEnds(connection, name);
      const messages = Number(ends.reduce((sum, { low, high }) => sum + high - low, 0n));
      const end = Number(ends.reduce((sum, { high }) => sum + high, 0n));
      const settings = Object.entries(config).map(([setting, value]) => [`config.${setting}`, value]);
      yield { name, fields: { name, partitions, replication, messages, end, ...Object.fromEntries(settings) } };
    }
  } else if (collection === 'groups') {
    for (const name of (await listGroups(connection)).filter(meant)) {
      const { state, members } = await readMembers(connection, name);
      const { lags } = await lookAtGroups(connection, [name], undefined);
      yield { name, fields: { name, state, members, lag: sumOf(lags) } };
    }
  } else throw invalid(`there are topics and groups, and no ${collection}`);
}

function pick(fields: Fields, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));
}

function parseWhere(text: string): RegExp {
  try {
    return new RegExp(whereSchema.parse(JSON.parse(text)).match, 'u');
  } catch {
    throw invalid('its where is no {"match": "<regular expression>"}');
  }
}

function invalid(why: string): Failure {
  return new Failure({
    code: 'invalid-statement',
    message: `This question to Kafka cannot be answered: ${why}.`,
    advice: 'Correct collection, key or where; src/systems/kafka/README.md says what there is.',
  });
}
