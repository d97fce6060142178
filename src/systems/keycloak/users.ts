import { z } from 'zod';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { Client } from './client.ts';

const userSchema = z.looseObject({
  id: z.string().min(1),
  username: z.string().optional(),
  email: z.string().optional(),
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  enabled: z.boolean().optional(),
  emailVerified: z.boolean().optional(),
  createdTimestamp: z.number().optional(),
  attributes: z.record(z.string(), z.array(z.string())).optional(),
});
export type User = z.infer<typeof userSchema>;

/** The fields of a user. `created` is an ISO 8601 moment; `attribute.<name>` a list. */
export const userFields = [
  'id',
  'username',
  'email',
  'first_name',
  'last_name',
  'enabled',
  'email_verified',
  'created',
];
const pageSize = 500;

/** Every user, page by page, in the server's own order (by name): only one page is in memory. */
export async function* allUsers(client: Client, full: boolean, signal?: AbortSignal): AsyncIterable<User> {
  for (let first = 0; ; first += pageSize) {
    const query = { first: String(first), max: String(pageSize), briefRepresentation: String(!full) };
    const page = await client.ask('/users', z.array(userSchema), { query, ...(signal ? { signal } : {}) });
    yield* page ?? [];
    if ((page ?? []).length < pageSize) return;
  }
}

/** Keycloak's own ids and those of federated users; nothing that leads to another place of the API. */
const userId = /^[0-9A-Za-z][0-9A-Za-z:_.@=-]{2,254}$/;
const otherPlaces = ['count', 'profile'];

/** Null where there is none. */
export async function readUser(client: Client, id: string): Promise<User | null> {
  if (!userId.test(id) || otherPlaces.includes(id)) return null;
  return client.ask(`/users/${encodeURIComponent(id)}`, userSchema, { allow: [404] });
}

/** The user whose name or address it is exactly; null where there is none. */
export async function findUser(client: Client, by: 'username' | 'email', value: string): Promise<User | null> {
  const query = { [by]: value, exact: 'true', max: '2', briefRepresentation: 'false' };
  return (await client.ask('/users', z.array(userSchema), { query }))?.[0] ?? null;
}

/** One field; null where the user has none of it. */
export function fieldOf(user: User, field: string): Json {
  if (field.startsWith('attribute.')) return user.attributes?.[field.slice('attribute.'.length)] ?? null;
  switch (field) {
    case 'id':
      return user.id;
    case 'username':
      return user.username ?? null;
    case 'email':
      return user.email ?? null;
    case 'first_name':
      return user.firstName ?? null;
    case 'last_name':
      return user.lastName ?? null;
    case 'enabled':
      return user.enabled ?? null;
    case 'email_verified':
      return user.emailVerified ?? null;
    case 'created':
      return user.createdTimestamp === undefined ? null : new Date(user.createdTimestamp).toISOString();
    default:
      return null;
  }
}

export function fieldsOf(user: User, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field) => [field, fieldOf(user, field)]));
}
