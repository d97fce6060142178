import { Failure } from '../../shared/failure.ts';
import { canonicalJson, type JsonObject } from '../../shared/json.ts';
import type { LookupQuery, Row, ScanQuery, Violations } from '../system.ts';
import type { Connection } from './connection.ts';
import { checkExpression, refuseUnsafe } from './expression.ts';
import { escapeName, refuseInternalNames } from './name.ts';
import { ensureReading } from './reading.ts';
import { showValue } from './show-value.ts';
import { cypher } from './statement.ts';

const PAGE = 5000;

function toValues(fields: readonly string[], values: readonly unknown[]): JsonObject {
  return Object.fromEntries(fields.map((field, i) => [field, showValue(values[i] ?? null)]));
}

/** Fields of the records whose `by` is one of the keys. Two records under one key with other values are refused. */
export async function lookup(
  connection: Connection,
  query: LookupQuery,
  keys: readonly string[],
): Promise<Map<string, JsonObject>> {
  const { collection, by, fields } = query;
  refuseInternalNames([collection, by, ...fields]);
  const [key, columns] = [`n.${escapeName(by)}`, fields.map((field) => `n.${escapeName(field)}`).join(', ')];
  const statement = `MATCH (n:${escapeName(collection)}) WHERE ${key} IN $keys RETURN ${key}, [${columns}]`;
  const found = new Map<string, JsonObject>();
  for (let from = 0; from < keys.length; from += PAGE) {
    const page = keys.slice(from, from + PAGE);
    for (const [value, values] of await connection.read((transaction) => transaction.run(statement, { keys: page }))) {
      const row = toValues(fields, values as unknown[]);
      const known = found.get(value as string);
      if (known && canonicalJson(known) !== canonicalJson(row)) {
        throw new Failure({
          code: 'precondition-failed',
          message: `${connection.place.name}: several ${collection} records share one ${by} but differ in what is read from them.`,
          advice: `Find the ${collection} records with the same ${by} and correct them.`,
        });
      }
      found.set(value as string, row);
    }
  }
  return found;
}

/** Records in the order of their key, streamed. */
export async function* scan(connection: Connection, query: ScanQuery): AsyncGenerator<Row> {
  const { collection, key, fields, where, after } = query;
  refuseInternalNames([collection, key, ...fields]);
  const property = `n.${escapeName(key)}`;
  const columns = fields.map((field) => `n.${escapeName(field)}`).join(', ');
  const head = `MATCH (n:${escapeName(collection)}) WHERE ${after === undefined ? '' : `${property} > $after AND `}`;
  const tail = `RETURN ${property}, [${columns}] ORDER BY ${property}`;
  const statement = cypher`${head}${checkExpression('where', where ?? 'true')} ${tail}`;
  await ensureReading(connection, statement, 'where');
  for await (const [value, values] of connection.stream(statement.text, after === undefined ? {} : { after })) {
    if (typeof value !== 'string') {
      throw new Failure({
        code: 'precondition-failed',
        message: `${connection.place.name}: ${collection}.${key} is missing or not text in some records.`,
        advice: 'Give these records a key as text, or name another key.',
      });
    }
    yield { key: value, values: toValues(fields, values as unknown[]) };
  }
}

/** Counts the rows of a reading statement; the first five are shown. */
export async function findViolations(connection: Connection, statement: string): Promise<Violations> {
  refuseUnsafe('statement', statement);
  const checked = { text: statement, placeOf: (line: number) => ({ place: 'statement', line }) };
  await ensureReading(connection, checked, 'statement');
  let count = 0;
  const samples: JsonObject[] = [];
  for await (const row of connection.streamObjects(statement)) {
    count++;
    if (samples.length < 5) samples.push(showValue(row) as JsonObject);
  }
  return { count, samples };
}
