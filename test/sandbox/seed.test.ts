import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { SHARED_TENANT } from '../../sandbox/seed/irregularities.ts';
import { people } from '../../sandbox/seed/people.ts';
import { createRandom } from '../../sandbox/seed/random.ts';
import type { Person } from '../../sandbox/seed/records.ts';
import { type SeedKind, shapeOf } from '../../sandbox/seed/shape.ts';
import { sharedNodes } from '../../sandbox/seed/shared-nodes.ts';
import { Failure } from '../../src/shared/failure.ts';

const everybody = (kind: SeedKind): Person[] => [...people(shapeOf(kind))];

function fingerprint(kind: SeedKind): string {
  const sum = createHash('sha256');
  for (const person of people(shapeOf(kind))) {
    const { older, bodies, ...rest } = person;
    const contents = bodies.map(({ document, body }) => [document.storage_path, body.toString('base64')]);
    sum.update(JSON.stringify([rest, [...older].map((document) => document.id), contents]));
  }
  return sum.update(JSON.stringify([...sharedNodes(shapeOf(kind))])).digest('hex');
}

describe('random draws', () => {
  it('are the same for the same seed and others for another', () => {
    const draw = (seed: string) => {
      const random = createRandom(seed);
      return Array.from({ length: 50 }, () => random.next());
    };
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
  });

  it('spread evenly and stay within their bounds', () => {
    const random = createRandom('spread');
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random.integer(0, 9);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    expect(counts).toHaveLength(10);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('make UUIDs of version 4, each another', () => {
    const random = createRandom('uuid');
    const ids = Array.from({ length: 10_000 }, () => random.uuid());
    expect(new Set(ids).size).toBe(10_000);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('the made data', () => {
  it.each(['demo', 'messy', 500] as const)('of kind %s is the same each time', (kind) => {
    expect(fingerprint(kind)).toBe(fingerprint(kind));
  });

  it('differs between the kinds', () => {
    expect(new Set([fingerprint('demo'), fingerprint('messy'), fingerprint(500), fingerprint(501)]).size).toBe(4);
  });

  it('does not depend on time zone or language', () => {
    const program = `
      import { people } from './sandbox/seed/people.ts';
      import { shapeOf } from './sandbox/seed/shape.ts';
      import { hash } from 'node:crypto';
      console.log(hash('sha256', JSON.stringify([...people(shapeOf('messy'))])));`;
    const run = (env: { TZ: string; LC_ALL: string }) =>
      execFileSync(process.execPath, ['--no-warnings', '--input-type=module-typescript', '-e', program], {
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
    expect(run({ TZ: 'Asia/Tokyo', LC_ALL: 'tr_TR.UTF-8' })).toBe(run({ TZ: 'America/New_York', LC_ALL: 'C' }));
  });

  it('refuses a number that counts no users', () => {
    for (const kind of [0, -1, 1.5, Number.NaN]) expect(() => shapeOf(kind)).toThrow(Failure);
  });
});

describe('demo', () => {
  const all = everybody('demo');
  const notebooks = all.flatMap((person) => person.notebooks);
  const documents = all.flatMap((person) => person.documents);
  const files = all.flatMap((person) => person.files);

  it('has the promised amounts', () => {
    expect(all).toHaveLength(1200);
    expect(notebooks.length).toBeGreaterThan(2800);
    expect(notebooks.length).toBeLessThan(3200);
    expect(documents.length).toBeGreaterThan(5700);
    expect(documents.length).toBeLessThan(6300);
    expect(files).toHaveLength(documents.length);
    expect(all.flatMap((person) => person.bodies)).toHaveLength(150);
    expect(all.filter((person) => person.notebooks.length === 0).length).toBeGreaterThan(100);
    expect(notebooks.filter((notebook) => notebook.parent_id).length).toBeGreaterThan(100);
    expect(notebooks.filter((notebook) => notebook.deleted_at).length).toBeGreaterThan(100);
    expect(documents.filter((document) => document.deleted_at).length).toBeGreaterThan(100);
  });

  it('gives a third of the users a tenant and a space with the same ten digits, each once', () => {
    const migrated = all.filter((person) => person.space);
    expect(migrated).toHaveLength(400);
    for (const { user, space, userRow, spaceRow, tenantRow } of migrated) {
      expect(user.personal_tenant_id).toMatch(/^tenant_\d{10}$/);
      expect(user.personal_space_id).toBe(user.personal_tenant_id?.replace('tenant', 'space'));
      expect([space?.id, space?.tenant_id]).toEqual([user.personal_space_id, user.personal_tenant_id]);
      expect(userRow).toMatchObject({
        id: user.id,
        personal_tenant_id: space?.tenant_id,
        personal_space_id: space?.id,
      });
      expect([spaceRow?.id, spaceRow?.tenant_id, tenantRow?.id]).toEqual([
        space?.id,
        space?.tenant_id,
        space?.tenant_id,
      ]);
    }
    expect(new Set(migrated.map((person) => person.user.personal_tenant_id)).size).toBe(400);
  });

  it('gives the other users nothing of the kind', () => {
    const older = all.filter((person) => !person.space);
    expect(older).toHaveLength(800);
    expect(older.filter((person) => person.userRow)).toHaveLength(400);
    for (const person of older) {
      expect([person.user.personal_tenant_id, person.user.personal_space_id]).toEqual([null, null]);
      expect([person.spaceRow, person.tenantRow]).toEqual([null, null]);
      for (const node of [...person.notebooks, ...person.documents, ...person.files]) expect(node.tenant_id).toBeNull();
    }
  });

  it('has ids, e-mail addresses and object keys that occur once', () => {
    const ids = [...all.map((person) => person.user), ...notebooks, ...documents, ...files].map((record) => record.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(all.map((person) => person.user.email)).size).toBe(1200);
    expect(new Set(documents.map((document) => document.storage_path)).size).toBe(documents.length);
  });

  it('leaves no notebook, document, file or chunk without what it refers to', () => {
    for (const { user, notebooks: own, documents: papers, files: rows, chunks } of all) {
      const shelves = new Map(own.map((notebook) => [notebook.id, notebook]));
      for (const notebook of own) {
        expect([notebook.owner_id, notebook.tenant_id, notebook.space_id]).toEqual([
          user.id,
          user.personal_tenant_id,
          user.personal_space_id,
        ]);
        if (notebook.parent_id) expect(shelves.has(notebook.parent_id)).toBe(true);
        const content = papers.filter((document) => document.notebook_id === notebook.id);
        expect(notebook.document_count).toBe(content.length);
        expect(notebook.total_size_bytes).toBe(content.reduce((sum, document) => sum + document.size_bytes, 0));
      }
      for (const document of papers) {
        expect(document.owner_id).toBe(user.id);
        expect(document.tenant_id).toBe(shelves.get(document.notebook_id ?? '')?.tenant_id);
        const file = rows.find((row) => row.id === document.processing_job_id);
        expect(file).toMatchObject({
          tenant_id: document.tenant_id,
          url: `s3://aether-storage/${document.storage_path}`,
        });
        expect(chunks.filter((chunk) => chunk.file_id === file?.id)).toHaveLength(document.chunk_count);
      }
    }
  });

  it('keeps objects where platform and older layout say, with the checksum that the document tells', () => {
    const layouts = { current: 0, old: 0, older: 0 };
    for (const { user, space, bodies } of all) {
      for (const { document, body } of bodies) {
        const folders = space
          ? { current: `${space.tenant_id}/${space.id}/documents/${document.id}`, old: `${space.tenant_id}/files` }
          : { older: `${user.id}/files` };
        const path = (folder: string) => `${folder}/${document.original_name}`;
        const [layout] = Object.entries(folders).find(([, folder]) => path(folder) === document.storage_path) ?? [
          'none',
        ];
        layouts[layout as keyof typeof layouts] += 1;
        expect(document.checksum).toBe(createHash('sha256').update(body).digest('hex'));
        expect(document.size_bytes).toBe(body.length);
      }
    }
    expect(layouts.current).toBeGreaterThan(20);
    expect(layouts.old).toBeGreaterThan(5);
    expect(layouts.older).toBeGreaterThan(20);
    expect(layouts.current + layouts.old + layouts.older).toBe(150);
  });
});

describe('messy', () => {
  const all = everybody('messy');
  const nodes = all.flatMap((person) => [...person.notebooks, ...person.documents]);
  const files = all.flatMap((person) => person.files);
  const documents = all.flatMap((person) => person.documents);
  const users = new Set(all.map((person) => person.user.id));
  const jobs = new Set(documents.map((document) => document.processing_job_id));
  const rows = new Set(files.map((file) => file.id));
  const uuid = /^[0-9a-f]{8}-/;
  const digits = (id: string | null | undefined) => id?.split('_')[1];

  it.each<[string, number]>([
    ['users who share the one UUID', all.filter(({ user }) => user.personal_tenant_id === SHARED_TENANT).length],
    [
      'users with a UUID of their own',
      all.filter(({ user }) => uuid.test(user.personal_tenant_id ?? '') && user.personal_tenant_id !== SHARED_TENANT)
        .length,
    ],
    ['nodes with both spellings', nodes.filter((node) => node.TenantID && node.tenant_id).length],
    ['nodes with the old spelling only', nodes.filter((node) => node.TenantID && !node.tenant_id).length],
    ['users with a space id and no Space', all.filter(({ user, space }) => user.personal_space_id && !space).length],
    [
      'spaces whose digits differ from the tenant',
      all.filter(({ space }) => space?.tenant_id.startsWith('tenant_') && digits(space.id) !== digits(space.tenant_id))
        .length,
    ],
    ['deleted users', all.filter(({ user }) => user.deleted_at).length],
    ['deleted spaces', all.filter(({ space }) => space?.deleted_at).length],
    ['nodes without an owner', nodes.filter((node) => node.owner_id === null).length],
    ['nodes whose owner is gone', nodes.filter((node) => node.owner_id && !users.has(node.owner_id)).length],
    ['files with a UUID as tenant', files.filter((file) => uuid.test(file.tenant_id ?? '')).length],
    ['files without a document', files.filter((file) => !jobs.has(file.id)).length],
    ['documents without a job', documents.filter((document) => !document.processing_job_id).length],
    [
      'documents whose file is gone',
      documents.filter(({ processing_job_id: job }) => job !== null && !rows.has(job)).length,
    ],
    ['moments kept as text', nodes.filter((node) => typeof (node.created_at as unknown) === 'string').length],
    ['names with control characters', nodes.filter((node) => /\p{Cc}/u.test(node.name)).length],
    ['names beyond the basic plane', nodes.filter((node) => /[\u{10000}-\u{10ffff}]/u.test(node.name)).length],
  ])('has %s', (_, count) => {
    expect(count).toBeGreaterThanOrEqual(2);
  });

  it('lets two users share one valid tenant id', () => {
    const seen = new Map<string, number>();
    for (const { user } of all) {
      const tenant = user.personal_tenant_id ?? '';
      if (/^tenant_\d{10}$/.test(tenant)) seen.set(tenant, (seen.get(tenant) ?? 0) + 1);
    }
    expect([...seen.values()].filter((count) => count === 2).length).toBeGreaterThanOrEqual(2);
  });

  it('keeps ids unique and keys fit for a listing in XML all the same', () => {
    const ids = [...users, ...nodes.map((node) => node.id)];
    expect(new Set(ids).size).toBe(1200 + nodes.length);
    const keys = all.flatMap((person) => person.bodies.map(({ document }) => document.storage_path));
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).not.toMatch(/\p{Cc}/u);
    expect(keys.some((key) => key.startsWith(`${SHARED_TENANT}/files/`))).toBe(true);
  });

  it('leaves most of the users without ids as tidy as in the demo', () => {
    const tidy = everybody('demo');
    const same = all.filter((person, index) => JSON.stringify(person) === JSON.stringify(tidy[index]));
    expect(same.length).toBeGreaterThan(500);
  });
});

describe('a number', () => {
  it('gives half a notebook and a document a user, no chunks, and at most 200 objects', () => {
    const all = everybody(10_000);
    const count = (list: (person: Person) => readonly unknown[]) =>
      all.reduce((sum, person) => sum + list(person).length, 0);
    expect(all).toHaveLength(10_000);
    expect(Math.abs(count((person) => person.notebooks) - 5000)).toBeLessThan(250);
    expect(Math.abs(count((person) => person.documents) - 10_000)).toBeLessThan(500);
    expect(count((person) => person.chunks)).toBe(0);
    expect(count((person) => person.bodies)).toBe(200);
  });

  it('makes people one at a time, however many there are', () => {
    const millions = people(shapeOf(5_000_000));
    expect(millions.next().value?.index).toBe(0);
    expect(millions.next().value?.index).toBe(1);
  });
});
