import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Surroundings } from '../../src/migrations/find-misfit.ts';
import type { Migration } from '../../src/migrations/migration.ts';
import { readMigration } from '../../src/migrations/migration-files.ts';
import { defineStepKind, readingPreview } from '../../src/systems/system.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tas-misfit-'));
});
afterAll(() => rm(folder, { recursive: true }));

const kindOf = (name: string, input: z.ZodType) =>
  defineStepKind({
    name,
    effect: 'changes',
    input,
    describe: () => name,
    preview: async () => readingPreview,
    performBatch: async () => ({ cursor: null, done: 0 }),
  });

const surroundings: Surroundings = {
  environment: 'staging',
  systems: new Map([
    [
      'graph',
      {
        type: 'neo4j',
        kinds: [
          kindOf(
            'neo4j.set-properties',
            z.strictObject({
              label: z.string(),
              where: z.string().default('true'),
              set: z.record(z.string(), z.string()),
              limit: z.union([z.number().int(), z.strictObject({ of: z.number() })]).optional(),
            }),
          ),
          kindOf('neo4j.create-nodes', z.strictObject({})),
        ],
      },
    ],
    ['relational', { type: 'postgres', kinds: [kindOf('postgres.add-column', z.strictObject({}))] }],
  ]),
  checks: async () => ['tenants-known', 'spaces-known'],
};

const whole = `id: fill-things
title: Fill things
description: ''
version: { from: '1', to: '2' }
contact: '#x'
requires: [tenants-known]
phases:
  data:
    - id: fill
      title: Fill
      system: graph
      use: neo4j.set-properties
      with:
        label: User
        set: { a: '1' }
verify: [spaces-known]
references:
  - { from: 'graph:Notebook.tenant_id', to: 'relational:users.tenant_id' }
coupled:
  - ['graph:User.a', 'graph:User.b']
canary: { 'graph:User': n.id = $canary }
`;

async function read(text: string): Promise<Migration> {
  const path = join(folder, 'm.yaml');
  await writeFile(path, text);
  return readMigration(path, {}, surroundings);
}

describe('a migration file beside its environment', () => {
  it('has no problem where everything that it names is there', async () => {
    expect((await read(whole)).problem).toBeUndefined();
  });

  it.each([
    [
      'a step kind that is misspelt',
      'neo4j.set-properties',
      'neo4j.set-propertis',
      'line 12, column 12',
      'did you mean neo4j.set-properties?',
    ],
    [
      'a step kind of another system',
      'neo4j.set-properties',
      'postgres.add-column',
      'line 12, column 12',
      'graph is a neo4j system',
    ],
    [
      'a system that is not there',
      'system: graph',
      'system: grap',
      'line 11, column 15',
      'staging has no system grap; did you mean graph?',
    ],
    ['a parameter that is misspelt', 'label: User', 'lable: User', 'line 14, column 9', 'did you mean label?'],
    [
      'a parameter of another type',
      "set: { a: '1' }",
      'set: { a: 1 }',
      'line 15, column 19',
      'phases.data.0.with.set.a',
    ],
    [
      'a form of a choice',
      "set: { a: '1' }",
      "set: { a: '1' }\n        limit: { of: many }",
      'line 16, column 22',
      'with.limit.of',
    ],
    ['a parameter that is missing', 'label: User\n', '\n', 'line 15, column 9', 'with.label'],
    ['a required check', '[tenants-known]', '[tenants-know]', 'line 6, column 12', 'did you mean tenants-known?'],
    ['a check afterwards', '[spaces-known]', '[spaces-known, other]', 'line 16, column 24', 'there is no check other.'],
    ['a reference', "'relational:users", "'relationel:users", 'line 18, column 45', 'did you mean relational?'],
    [
      'coupled fields',
      "['graph:User.a', 'graph:User.b']",
      "['graf:User.a', 'graf:User.b']",
      'line 20, column 6',
      'staging has no system graf',
    ],
    [
      'the canary',
      "'graph:User': n",
      "'objects:User': n",
      'line 21',
      'staging has no system objects. It has graph, relational.',
    ],
  ])('has a problem with its place for %s', async (_what, from, to, place, says) => {
    const text = whole.replace(from, to);
    expect(text).not.toBe(whole);
    const { problem } = await read(text);
    expect(problem).toMatchObject({ code: 'invalid-file' });
    expect(problem?.message).toContain(`m.yaml, ${place}`);
    expect(problem?.message).toContain(says);
    expect(problem?.message).not.toMatch(/\?\.|\.\.$/);
  });

  it('is refused in itself where its canary narrows nothing, and where it couples two collections', async () => {
    await expect(read(whole.replace('n.id = $canary', 'n.id = 1'))).rejects.toThrow(/line 21.*\$canary/);
    await expect(read(whole.replace("'graph:User.b'", "'graph:Space.b'"))).rejects.toThrow(/one collection/);
  });

  it('keeps its content hash whatever a new version of the bot fills in by default', async () => {
    const { contentHash, phases } = await read(whole);
    expect(phases.data?.[0]?.approval).toBe('plan');
    const explicit = await read(whole.replace('      with:', '      approval: plan\n      with:'));
    expect(explicit.contentHash).not.toBe(contentHash);
  });
});
