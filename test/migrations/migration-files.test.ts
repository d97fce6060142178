import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readMigration, readMigrations } from '../../src/migrations/migration-files.ts';
import { Failure } from '../../src/shared/failure.ts';
import { defineStepKind, readingPreview } from '../../src/systems/system.ts';

const readingKind = defineStepKind({
  name: 'test.read',
  effect: 'reads',
  input: z.strictObject({}),
  describe: () => 'reads',
  preview: async () => readingPreview,
  performBatch: async () => ({ cursor: null, done: 0 }),
});

let pack: string;

beforeEach(async () => {
  pack = await mkdtemp(join(tmpdir(), 'tas-pack-'));
  await mkdir(join(pack, 'migrations'));
});
afterEach(() => rm(pack, { recursive: true }));

const whole = `id: fill-things
title: Fill things
description: ''
version: { from: '1', to: '2' }
contact: '#x'
requires: [things-known]
phases:
  services:
    - { id: restart, title: Restart, system: cluster, use: kubernetes.restart, with: {} }
  data:
    - id: fill
      title: Fill
      system: graph
      use: neo4j.set-properties
      with: { label: "\${label}", set: { a: '1', list: [1, null, { x: true }] } }
references:
  - { from: 'graph:Notebook.tenant_id', to: 'relational:users.tenant_id' }
coupled:
  - ['graph:User.a', 'graph:User.b']
`;

async function write(text: string, name = 'm.yaml'): Promise<string> {
  const path = join(pack, 'migrations', name);
  await writeFile(path, text);
  return path;
}

/** What a file with this change is refused with. */
async function refusalOf(from: string | RegExp, to: string): Promise<string> {
  const text = whole.replace(from, to);
  expect(text).not.toBe(whole);
  const error = await readMigration(await write(text), { label: 'User' }).then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  expect(error.code).toBe('invalid-file');
  return error.message;
}

describe('a migration file', () => {
  it('is read with its variables, defaults and references', async () => {
    const migration = await readMigration(await write(whole), { label: 'User' });
    expect(migration).toMatchObject({ id: 'fill-things', requires: ['things-known'], verify: [] });
    expect(migration.phases.data?.[0]?.with).toEqual({ label: 'User', set: { a: '1', list: [1, null, { x: true }] } });
    expect(migration.references).toEqual([
      {
        from: { system: 'graph', collection: 'Notebook', field: 'tenant_id' },
        to: { system: 'relational', collection: 'users', field: 'tenant_id' },
      },
    ]);
    expect(migration.coupled[0]?.[1]).toEqual({ system: 'graph', collection: 'User', field: 'b' });
  });

  it.each([
    ['an unknown phase', /^ {2}services:/m, '  deployment:', 'phases'],
    ['no phases', /phases:\n[\s\S]*?(?=references:)/, 'phases: {}\n', 'at least one phase'],
    ['a phase without steps', /services:\n.*\n/, 'services: []\n', 'phases.services'],
    ['an unknown key', 'contact:', 'owner: me\ncontact:', 'owner'],
    ['an unknown key in a step', 'title: Fill\n', 'title: Fill\n      retries: 3\n', 'retries'],
    ['a missing key', /^contact.*\n/m, '', 'contact'],
    ['an id in capitals', 'id: fill-things', 'id: Fill-Things', 'lower-case'],
    ['an id that leaves the folder', 'id: fill-things', 'id: ../../etc', 'lower-case'],
    ['a step kind without a type', 'neo4j.set-properties', 'set-properties', 'write <system type>.<step kind>'],
    ['a field without a system', "'graph:User.a'", "'User.a'", 'write system:Collection.field'],
    ['a couple of one', "['graph:User.a', 'graph:User.b']", "['graph:User.a']", 'coupled.0'],
    ['an author by name', 'contact:', 'authors: [Dora]\ncontact:', "a Slack user's id"],
    ['an unset variable', 'label}', 'lable}', 'lable is not set'],
  ])('is refused for %s', async (_what, from, to, text) => {
    expect(await refusalOf(from, to)).toContain(text);
  });

  it('is refused with line and column', async () => {
    expect(await refusalOf('neo4j.set-properties', 'nonsense')).toContain('m.yaml, line 14, column 12');
  });

  it('is refused when two steps have one id, also across phases', async () => {
    expect(await refusalOf('id: restart', 'id: fill')).toContain('two steps have the id fill');
  });

  it('has a content hash that knows content from form', async () => {
    const hashOf = async (text: string, label = 'User') =>
      (await readMigration(await write(text), { label })).contentHash;
    const hash = await hashOf(whole);
    expect(await hashOf(`# a comment\n${whole.replaceAll("'", '"')}\n\n`)).toBe(hash);
    expect(await hashOf(whole.replace("a: '1'", "a: '2'"))).not.toBe(hash);
    expect(await hashOf(whole.replace("a: '1'", 'a: 1'))).not.toBe(hash);
    expect(await hashOf(whole, 'Person')).not.toBe(hash);
  });
});

describe('the migrations of all packs', () => {
  it('are all files with the ending yaml or yml, by id', async () => {
    await write(whole);
    await write(whole.replace('id: fill-things', 'id: other-things'), 'other.yml');
    await write('not: [a migration', 'notes.txt');
    expect([...(await readMigrations([pack], { label: 'User' })).keys()]).toEqual(['fill-things', 'other-things']);
  });

  it('are all there where one of them does not fit the environment, which is that one’s problem', async () => {
    await write(whole);
    await write(
      whole.replace('id: fill-things', 'id: other-things').replace(/ {2}data:[\s\S]*?(?=references)/, ''),
      'other.yml',
    );
    const kind = { ...readingKind, name: 'kubernetes.restart' };
    const systems = new Map([
      ['cluster', { type: 'kubernetes', kinds: [kind] }],
      ['graph', { type: 'neo4j', kinds: [] }],
      ['relational', { type: 'postgres', kinds: [] }],
    ]);
    const surroundings = { environment: 'staging', systems, checks: async () => ['things-known'] };
    const read = await readMigrations([pack], { label: 'User' }, surroundings);
    expect(read.get('fill-things')?.problem?.message).toMatch(
      /m\.yaml, line 14.*there is no step kind neo4j\.set-properties/,
    );
    expect(read.get('other-things')?.problem).toBeUndefined();
  });

  it('are none where there is no folder', async () => {
    expect((await readMigrations([join(pack, 'nowhere')], {})).size).toBe(0);
  });

  it('are refused when two files hold one id', async () => {
    await write(whole);
    await write(whole, 'copy.yaml');
    await expect(readMigrations([pack], { label: 'User' })).rejects.toMatchObject({
      code: 'invalid-file',
      message: 'Two files hold a migration with the id fill-things.',
    });
  });
});
