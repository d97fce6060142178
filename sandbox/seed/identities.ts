import { z } from 'zod';
import type { Endpoints } from '../servers/endpoints.ts';
import { logIn } from '../servers/keycloak/realm.ts';
import { people } from './people.ts';
import type { UserRecord } from './records.ts';
import type { SeedOptions } from './seed.ts';
import { shapeOf } from './shape.ts';

/** Users that are sent in one request. */
const batchSize = 300;

const importedSchema = z.object({ added: z.number(), skipped: z.number() });

/** How many users the realm got, and how many it had already. */
export interface SeededIdentities {
  readonly added: number;
  readonly skipped: number;
}

/**
 * Gives the realm a user for each User node of the same seed, under the id that the node names. May be called again: who is
 * there stays as he is. Nobody can log in: there are no passwords.
 */
export async function seedIdentities(
  { keycloak }: Pick<Endpoints, 'keycloak'>,
  { kind, onProgress }: SeedOptions,
): Promise<SeededIdentities> {
  const total = { added: 0, skipped: 0 };
  const seen = new Set<string>();
  let batch: object[] = [];
  const send = async (): Promise<void> => {
    if (batch.length === 0) return;
    // A login a batch: tokens live for a minute.
    const ask = await logIn(keycloak);
    const path = `/${encodeURIComponent(keycloak.realm)}/partialImport`;
    const answer = await ask('POST', path, { ifResourceExists: 'SKIP', users: batch });
    if (!answer.ok) throw new Error(`importing users answers ${answer.status}`);
    const { added, skipped } = importedSchema.parse(await answer.json());
    total.added += added;
    total.skipped += skipped;
    batch = [];
    onProgress?.(`${total.added + total.skipped} identities written`);
  };
  for (const { user } of people(shapeOf(kind))) {
    const { keycloak_id: id } = user;
    if (typeof id !== 'string' || seen.has(id)) continue;
    seen.add(id);
    batch.push(toIdentity(user, id));
    if (batch.length >= batchSize) await send();
  }
  await send();
  return total;
}

function toIdentity(user: UserRecord, id: string): object {
  const [firstName, ...rest] = user.full_name.split(' ');
  return {
    id,
    username: user.username,
    email: user.email,
    emailVerified: true,
    firstName,
    lastName: rest.join(' '),
    enabled: user.status === 'active',
    createdTimestamp: user.created_at.getTime(),
  };
}
