import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Finding } from '../finding.ts';
import type { Client, Request } from './client.ts';

/** A role of the realm's administration, and a question that needs it. All of them only read. */
const wanted: readonly { readonly role: string; readonly path: string; readonly request?: Request }[] = [
  { role: 'view-users', path: '/users/count' },
  { role: 'view-clients', path: '/clients', request: { query: { max: '1' } } },
  { role: 'view-realm', path: '/roles', request: { query: { max: '1' } } },
  { role: 'manage-realm', path: '/partial-export', request: { method: 'POST' } },
];

/** That realm and login are there, and which role the login lacks. Writes nothing. */
export async function preflight(client: Client): Promise<readonly Finding[]> {
  const missing: string[] = [];
  for (const { role, path, request } of wanted) {
    if (!(await isAllowed(client, path, request))) missing.push(role);
  }
  const found = { check: 'admin-roles', title: `The login may read the realm ${client.place.realm}` };
  if (missing.length === 0)
    return [{ ...found, status: 'passed', count: 0, samples: [] }, ...(await lookForUsers(client))];
  const advice = `Give it these roles of the client realm-management (or ${client.place.realm}-realm in master): ${missing.join(', ')}.`;
  return [{ ...found, status: 'failed', count: missing.length, samples: missing, advice }];
}

export function unreachableFinding(error: unknown): Finding {
  if (!(error instanceof Failure)) throw error;
  const { message, advice } = error;
  return { check: 'keycloak-answers', title: message, status: 'failed', count: 1, samples: [], advice };
}

async function isAllowed(client: Client, path: string, request: Request = {}): Promise<boolean> {
  return (await client.ask(path, z.unknown(), { ...request, allow: [403] })) !== null;
}

const seen = z.array(z.looseObject({ access: z.record(z.string(), z.boolean()).optional() }));

/** With `query-users` in place of `view-users` the server answers as if there were none: so none is worth a word. */
async function lookForUsers(client: Client): Promise<readonly Finding[]> {
  const [first] = (await client.ask('/users', seen, { query: { max: '1' } })) ?? [];
  if (first && first.access?.view !== false) return [];
  const title = 'No user of the realm can be seen';
  const advice = 'Either it has none, or the login has query-users where it needs view-users.';
  return [{ check: 'users-seen', title, status: 'warning', count: 1, samples: [], advice }];
}
