import { later } from './moments.ts';
import type { Random } from './random.ts';
import type { Person, Properties } from './records.ts';
import { fileOf } from './rows.ts';
import { STRANGE_NAMES } from './strange-names.ts';

/** The tenant id that the platform once gave to every user. */
export const SHARED_TENANT = '9855e094-36a6-4d3a-a4f5-d77da4614439';

type Irregularity = (person: Person, random: Random) => void;

/** One after the other of these befalls the users who already have ids: each every 25th of them; a few stay tidy. */
const OF_MIGRATED: readonly Irregularity[] = [
  // The shared UUID as tenant, in the old layout of the bucket; no space.
  (person) => {
    giveIds(person, SHARED_TENANT, null);
    dropSpace(person);
  },
  // The same, though a space of the right form was made later.
  (person) => giveIds(person, SHARED_TENANT, person.user.personal_space_id),
  // A UUID of his own as tenant.
  (person, random) => giveIds(person, random.uuid(), person.user.personal_space_id),
  // Space ids everywhere, but no Space node.
  dropSpace,
  // The digits of space and tenant differ: two calls made them.
  (person) => giveIds(person, `${person.user.personal_tenant_id?.slice(0, -3)}999`, person.user.personal_space_id),
  // Two users with one valid tenant id.
  (person) => giveIds(person, `tenant_15000000${pairOf(person)}`, person.user.personal_space_id),
  // Both spellings of the property, equal and different.
  (person, random) => {
    for (const node of [person.user, person.space, ...person.notebooks, ...person.documents]) {
      if (node) node.TenantID = random.chance(0.5) ? SHARED_TENANT : person.user.personal_tenant_id;
    }
  },
  // Only the old spelling on what he owns.
  (person) => {
    for (const node of [...person.notebooks, ...person.documents]) {
      node.TenantID = node.tenant_id;
      node.tenant_id = null;
    }
  },
  deleteAll,
  renameAll,
  // The older name of the space's type, and a deleted space.
  (person, random) => {
    if (!person.space) return;
    person.space.space_type = 'organization';
    person.space.type = null;
    person.space.deleted_at = later(random, person.space.created_at, 100);
  },
  loseOwner,
  ownerIsGone,
  loseFiles,
  // Documents that were never handed to the service.
  (person) => {
    for (const document of person.documents) document.processing_job_id = null;
    person.files = [];
    person.chunks = [];
  },
  // Documents of a notebook that does not exist.
  (person, random) => {
    for (const document of person.documents) document.notebook_id = random.uuid();
  },
  // Moments kept as text by an early version.
  (person) => {
    for (const node of [...person.notebooks, ...person.documents] as Properties[]) {
      node.created_at = (node.created_at as Date).toISOString();
    }
  },
  // The node moved on to a new tenant, its rows and objects stayed behind.
  (person) => strand(person),
  orphanFiles,
  // Ids on the user and the space, none on what he owns.
  (person) => {
    for (const node of [...person.notebooks, ...person.documents]) {
      node.tenant_id = null;
      node.space_id = null;
    }
  },
];

/** The same for users without ids: each every 25th of them; the others stay as they are. */
const OF_OLDER: readonly Irregularity[] = [
  // Old rows with the shared UUID, or one of their own, where the graph has nothing.
  (person) => giveFilesTenant(person, SHARED_TENANT),
  (person, random) => giveFilesTenant(person, random.uuid()),
  loseOwner,
  ownerIsGone,
  deleteAll,
  renameAll,
  loseFiles,
  orphanFiles,
];

/** Disturbs a tidy person as real data is disturbed; which way depends on the index alone. */
export function irregular(person: Person, random: Random): void {
  const migrated = person.space !== null;
  const ordinal = migrated ? Math.floor(person.index / 3) : person.index;
  const list = migrated ? OF_MIGRATED : OF_OLDER;
  list[ordinal % 25]?.(person, random);
}

/** The same two digits for two of the users whom one irregularity befalls. */
function pairOf(person: Person): string {
  return String(Math.floor(person.index / 150)).padStart(2, '0');
}

/** Another tenant and space in every store, as far as each knows them; objects lie under `<tenant>/files`. */
function giveIds(person: Person, tenant: string, space: string | null): void {
  const { user } = person;
  user.personal_tenant_id = tenant;
  user.personal_space_id = space;
  if (person.space) {
    Object.assign(person.space, { tenant_id: tenant, audimodal_tenant_id: tenant, deeplake_namespace: tenant });
  }
  for (const node of [...person.notebooks, ...person.documents]) {
    node.tenant_id = tenant;
    node.space_id = space;
  }
  for (const document of person.documents) document.storage_path = `${tenant}/files/${document.original_name}`;
  person.files = person.documents.flatMap((document) => fileOf(document) ?? []);
  for (const chunk of person.chunks) chunk.tenant_id = tenant;
  for (const agent of [...person.agents, ...person.executions]) agent.space_id = space;
  if (person.userRow) Object.assign(person.userRow, { personal_tenant_id: tenant, personal_space_id: space });
  if (person.spaceRow) person.spaceRow.tenant_id = tenant;
  // Nobody ever listed these tenants.
  person.tenantRow = null;
}

function dropSpace(person: Person): void {
  person.space = null;
  person.spaceRow = null;
}

function strand(person: Person): void {
  const digits = person.user.personal_tenant_id?.slice('tenant_'.length).replace(/^16/, '17');
  person.user.personal_tenant_id = `tenant_${digits}`;
  person.user.personal_space_id = `space_${digits}`;
}

function deleteAll(person: Person, random: Random): void {
  const at = later(random, person.user.created_at, 300);
  for (const node of [person.user, person.space, ...person.notebooks, ...person.documents, ...person.files]) {
    if (!node) continue;
    node.deleted_at = at;
    if (node === person.user || node === person.space) node.status = 'deleted';
  }
}

function renameAll(person: Person, random: Random): void {
  for (const node of [...person.notebooks, ...person.documents]) node.name = random.pick(STRANGE_NAMES);
  person.user.full_name = random.pick(STRANGE_NAMES);
  for (const [index, document] of person.documents.entries()) {
    // No control characters in keys: S3 listings are XML, which cannot carry them.
    document.original_name = `Übersicht ${index} “final” & 100% (+1) #2 – ${document.id.slice(0, 8)}.${document.type}`;
    document.storage_path = document.storage_path.replace(/[^/]+$/, document.original_name);
  }
  person.files = person.documents.flatMap((document) => fileOf(document) ?? []);
}

function loseOwner(person: Person): void {
  for (const node of [...person.notebooks, ...person.documents]) node.owner_id = null;
}

function ownerIsGone(person: Person, random: Random): void {
  const id = random.uuid();
  for (const node of [...person.notebooks, ...person.documents]) node.owner_id = id;
}

/** Documents whose file the service no longer has. */
function loseFiles(person: Person): void {
  person.files = [];
  person.chunks = [];
}

/** Files of the service, and objects, whose documents are gone from the graph. */
function orphanFiles(person: Person): void {
  person.documents = [];
}

function giveFilesTenant(person: Person, tenant: string): void {
  for (const row of [...person.files, ...person.chunks]) row.tenant_id = tenant;
}
