import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, digestOf, type Json, type JsonObject } from '../../shared/json.ts';
import type { Fingerprint } from '../system.ts';
import type { Client } from './client.ts';
import { allUsers } from './users.ts';

/** All but its users, secrets masked. May be some megabytes in realms with many clients. */
export async function exportRealm(client: Client, signal?: AbortSignal): Promise<JsonObject> {
  const query = { exportClients: 'true', exportGroupsAndRoles: 'true' };
  const realm = await client.ask('/partial-export', z.record(z.string(), z.json()), {
    method: 'POST',
    query,
    ...(signal ? { signal } : {}),
  });
  return (realm ?? {}) as JsonObject;
}

/** Counts alone: three questions and the list of clients and roles. */
export async function readCounts(client: Client): Promise<Fingerprint['counts']> {
  const [users, groups, clients, roles] = await Promise.all([
    client.ask('/users/count', z.number()),
    client.ask('/groups/count', z.object({ count: z.number() })),
    client.ask('/clients', z.array(z.unknown())),
    client.ask('/roles', z.array(z.unknown()), { query: { briefRepresentation: 'true' } }),
  ]);
  return {
    users: users ?? 0,
    groups: groups?.count ?? 0,
    clients: clients?.length ?? 0,
    roles: roles?.length ?? 0,
  };
}

/** Settings, clients, groups, roles, and every user with his fields and attributes; not: credentials and sessions. */
export async function fingerprint(client: Client, signal?: AbortSignal): Promise<Fingerprint> {
  const counts = await readCounts(client);
  const settings = digestOf(inOrder(await exportRealm(client, signal)));
  return { counts, hash: digestOf([settings, await sumUsers(client, signal)]) };
}

const modulus = 1n << 256n;

/** The server does not give users by id: so they are added up, which is the same in any order. */
async function sumUsers(client: Client, signal?: AbortSignal): Promise<string> {
  let sum = 0n;
  for await (const user of allUsers(client, true, signal)) {
    // What the asking user may do is no part of the user.
    const { access: _, ...own } = user;
    const text = canonicalJson(inOrder(own as JsonObject));
    sum = (sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)) % modulus;
  }
  return sum.toString(16);
}

/** Lists in one order: the server gives some of them in any. */
function inOrder(value: Json): Json {
  if (Array.isArray(value)) {
    const items = value.map(inOrder);
    return items.sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  }
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inOrder(item)]));
}
