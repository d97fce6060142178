import { Failure } from '../../shared/failure.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { LookupQuery, Row, ScanQuery, Violations } from '../system.ts';
import type { Client } from './client.ts';
import { misfits, parseConditions, parseRule } from './selection.ts';
import { allUsers, fieldsOf, findUser, readUser, type User, userFields } from './users.ts';

const atOnce = 8;
/** Users that a scan holds at a time. */
const mostHeld = 20_000;

/** Users by id, name or address: one question each, some side by side. */
export async function lookup(
  client: Client,
  query: LookupQuery,
  keys: readonly string[],
): Promise<Map<string, JsonObject>> {
  checkNames(client, query.collection, query.fields);
  const { by } = query;
  const ask = (key: string): Promise<User | null> => {
    if (by === 'id') return readUser(client, key);
    if (by === 'username' || by === 'email') return findUser(client, by, key);
    throw invalid(client, `users are looked up by id, username or email, not by ${by}`, 'Name one of these.');
  };
  const found = new Map<string, JsonObject>();
  for (let first = 0; first < keys.length; first += atOnce) {
    const some = keys.slice(first, first + atOnce);
    const users = await Promise.all(some.map(ask));
    for (const [i, user] of users.entries()) if (user) found.set(some[i] ?? '', fieldsOf(user, query.fields));
  }
  return found;
}

/**
 * Users in the order of their ids. The server gives them by name only: so each pass reads all and keeps those with the
 * smallest ids that were not given yet. A realm of up to 20,000 users takes one pass, and memory never grows beyond that.
 */
export async function* scan(client: Client, query: ScanQuery, most = mostHeld): AsyncIterable<Row> {
  checkNames(client, query.collection, query.fields);
  if (query.key !== 'id') throw invalid(client, `users are scanned by id, not by ${query.key}`, 'Name id as the key.');
  const where = query.where === undefined ? {} : parseConditions(query.where);
  const full = [...query.fields, ...Object.keys(where)].some((field) => field.startsWith('attribute.'));
  for (let after = query.after ?? ''; ; ) {
    const kept = createSmallest(most);
    for await (const user of allUsers(client, full)) {
      if (compareIds(user.id, after) <= 0 || misfits(user, where).length > 0) continue;
      kept.add({ key: user.id, values: fieldsOf(user, query.fields) });
    }
    const { rows, cut } = kept.end();
    yield* rows;
    if (!cut) return;
    after = rows.at(-1)?.key ?? after;
  }
}

/** Samples name the user by id, and the fields that break the rule, never their values. */
export async function violations(client: Client, statement: string): Promise<Violations> {
  const rule = parseRule(statement);
  const full = Object.keys({ ...rule.where, ...rule.must }).some((field) => field.startsWith('attribute.'));
  const samples: JsonObject[] = [];
  let count = 0;
  for await (const user of allUsers(client, full)) {
    if (misfits(user, rule.where).length > 0) continue;
    const broken = misfits(user, rule.must);
    if (broken.length === 0) continue;
    count += 1;
    if (samples.length < 5) samples.push({ id: user.id, breaks: broken.join(', ') });
  }
  return { count, samples };
}

/** The rows with the smallest keys of all that are added, each key once; `cut` = there were more. */
function createSmallest(most: number) {
  let rows: Row[] = [];
  let cut = false;
  const tidy = (): void => {
    rows.sort((a, b) => compareIds(a.key, b.key));
    // A user who moved to another page while the pages were read is met twice.
    rows = rows.filter(({ key }, i) => key !== rows[i - 1]?.key);
    if (rows.length <= most) return;
    rows.length = most;
    cut = true;
  };
  return {
    add(row: Row): void {
      rows.push(row);
      if (rows.length >= 2 * most) tidy();
    },
    end(): { readonly rows: readonly Row[]; readonly cut: boolean } {
      tidy();
      return { rows, cut };
    },
  };
}

/** By code point. */
export function compareIds(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function checkNames(client: Client, collection: string, fields: readonly string[]): void {
  if (collection !== 'users') {
    throw invalid(client, `it has users, and no ${collection} that can be read`, 'Name users as the collection.');
  }
  const strange = fields.find((field) => !userFields.includes(field) && !field.startsWith('attribute.'));
  if (strange === undefined) return;
  throw invalid(client, `users have no field ${strange}`, `Known are ${userFields.join(', ')} and attribute.<name>.`);
}

function invalid({ place }: Client, why: string, advice: string): Failure {
  return new Failure({ code: 'invalid-statement', message: `${place.name}: ${why}.`, advice });
}
