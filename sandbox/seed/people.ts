import { irregular } from './irregularities.ts';
import { addLibrary } from './library.ts';
import { FIRST_DAY, later, plusSeconds } from './moments.ts';
import { createRandom, type Random } from './random.ts';
import type { Person, SpaceRecord, UserRecord } from './records.ts';
import { addRows } from './rows.ts';
import type { Shape } from './shape.ts';
import { sharedId } from './shared-nodes.ts';
import { FAMILY_NAMES, GIVEN_NAMES } from './words.ts';

/** Ten digits, as the platform takes them from the clock in seconds. */
const FIRST_TENANT = 1_600_000_000;

/** Every third user already has a tenant and a space of his own. */
export function isMigrated(index: number): boolean {
  return index % 3 === 2;
}

/** Everybody with all that is theirs, in order, one at a time: a person depends on the shape and the index alone. */
export function* people(shape: Shape): Generator<Person> {
  let bodies = shape.objects;
  for (let index = 0; index < shape.people; index++) {
    const random = createRandom(`person/${index}`);
    const person = createPerson(index, random, shape);
    addLibrary(person, random, shape, bodies);
    bodies -= person.bodies.length;
    addRows(person, random, shape);
    if (shape.messy) irregular(person, createRandom(`irregular/${index}`));
    yield person;
  }
}

function createPerson(index: number, random: Random, shape: Shape): Person {
  const user = createUser(index, random);
  return {
    index,
    user,
    space: user.personal_space_id && user.personal_tenant_id ? createSpace(user, random) : null,
    notebooks: [],
    documents: [],
    older: new Set(),
    files: [],
    chunks: [],
    bodies: [],
    memberships: membershipsOf(random, shape),
    userRow: null,
    spaceRow: null,
    tenantRow: null,
    agents: [],
    executions: [],
  };
}

function createUser(index: number, random: Random): UserRecord {
  const id = random.uuid();
  const [given, family] = [random.pick(GIVEN_NAMES), random.pick(FAMILY_NAMES)];
  const username = `${given}.${family}.${index}`.toLowerCase();
  // The step leaves room for a few digits of chance, so that ids do not simply count up.
  const digits = FIRST_TENANT + index * 37 + random.integer(0, 36);
  const migrated = isMigrated(index);
  const created = later(random, FIRST_DAY, 400);
  const language = random.pick(['de', 'en', 'es', 'fr', 'ja']);
  return {
    id,
    keycloak_id: id,
    email: `${username}@example.com`,
    username,
    full_name: `${given} ${family}`,
    status: random.chance(0.95) ? 'active' : 'inactive',
    preferences: JSON.stringify({ theme: random.pick(['light', 'dark']), language }),
    keycloak_roles: random.chance(0.04) ? ['user', 'admin'] : ['user'],
    personal_tenant_id: migrated ? `tenant_${digits}` : null,
    personal_space_id: migrated ? `space_${digits}` : null,
    personal_api_key: migrated ? `aeth_${random.hex(16)}` : null,
    onboarding_status: random.pick(['completed', 'completed', 'completed', 'pending']),
    created_at: created,
    updated_at: later(random, created, 30),
    last_login_at: random.chance(0.9) ? later(random, created, 90) : null,
  };
}

function createSpace(user: UserRecord, random: Random): SpaceRecord {
  const tenant = user.personal_tenant_id ?? '';
  return {
    id: user.personal_space_id ?? '',
    name: `${user.full_name}'s space`,
    type: 'personal',
    tenant_id: tenant,
    audimodal_tenant_id: tenant,
    deeplake_namespace: tenant,
    owner_id: user.id,
    owner_type: 'user',
    status: 'active',
    quota_bytes: random.pick([1, 5, 10]) * 1024 ** 3,
    quota_documents: 10_000,
    used_bytes: 0,
    notebook_count: 0,
    document_count: 0,
    is_default: true,
    created_at: plusSeconds(user.created_at, 1),
  };
}

function membershipsOf(random: Random, shape: Shape): Person['memberships'] {
  const memberships: Person['memberships'][number][] = [];
  if (random.chance(0.1)) {
    const id = sharedId('Team', random.integer(0, shape.teams - 1));
    memberships.push({ label: 'Team', id, role: random.chance(0.2) ? 'lead' : 'member' });
  }
  if (random.chance(0.05)) {
    memberships.push({ label: 'Organization', id: sharedId('Organization', 0), role: 'member' });
  }
  return memberships;
}
