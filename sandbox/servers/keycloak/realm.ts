import { z } from 'zod';
import { Failure } from '../../../src/shared/failure.ts';
import type { KeycloakEndpoint } from '../endpoints.ts';

const tokenSchema = z.object({ access_token: z.string() });
const realmSchema = z.object({ id: z.string(), realm: z.string() });

/** One request as administrator; the path begins after `/admin/realms`. */
export type AskKeycloak = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
) => Promise<Response>;

/** Logs in for a short piece of work: tokens live for a minute. Throws `wrong-password`. */
export async function logIn({ url, user, password }: KeycloakEndpoint): Promise<AskKeycloak> {
  const answer = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: user, password }),
    signal: AbortSignal.timeout(20_000),
  });
  if (answer.status === 401 || answer.status === 400) {
    throw new Failure({
      code: 'wrong-password',
      message: `Keycloak at ${url} does not take the password.`,
      advice: 'Take the sandbox down and up again.',
    });
  }
  if (!answer.ok) throw new Error(`the login answers ${answer.status}`);
  const { access_token: token } = tokenSchema.parse(await answer.json());
  return (method, path, body) =>
    fetch(`${url}/admin/realms${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
}

/** Makes the platform's realm where it is missing; null when it is there, else why not. */
export async function ensureRealm(endpoint: KeycloakEndpoint): Promise<string | null> {
  const known = await fetch(`${endpoint.url}/realms/${endpoint.realm}`, { signal: AbortSignal.timeout(10_000) });
  await known.arrayBuffer();
  if (known.ok) return null;
  if (known.status !== 404) return `the realm answers ${known.status}`;
  const ask = await logIn(endpoint);
  const made = await ask('POST', '', { realm: endpoint.realm, enabled: true });
  await made.arrayBuffer();
  return made.ok || made.status === 409 ? null : `making the realm answers ${made.status}`;
}

/** The realm without users, clients and roles of its own; it stays the same realm by its id. */
export async function makeRealmAnew(endpoint: KeycloakEndpoint): Promise<void> {
  const ask = await logIn(endpoint);
  const path = `/${endpoint.realm}`;
  const { id } = realmSchema.parse(await (await ask('GET', path)).json());
  for (const [method, where, body] of [
    ['DELETE', path, undefined],
    ['POST', '', { id, realm: endpoint.realm, enabled: true }],
  ] as const) {
    const answer = await ask(method, where, body);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${method} of the realm answers ${answer.status}`);
  }
}
