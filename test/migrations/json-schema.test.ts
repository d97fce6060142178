import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { migrationDocs, writtenDocs } from '../../scripts/migration-docs.ts';
import { listStepKinds } from '../../scripts/step-kinds.ts';
import { migrationJsonSchema } from '../../src/migrations/json-schema.ts';
import type { Json, JsonObject } from '../../src/shared/json.ts';

const root = resolve(import.meta.dirname, '../..');

/** Every value of a keyword, at any depth. */
function valuesOf(keyword: string, value: Json): Json[] {
  if (Array.isArray(value)) return value.flatMap((item) => valuesOf(keyword, item));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === keyword ? [inner] : []),
    ...valuesOf(keyword, inner),
  ]);
}

describe('what is published of the file format', () => {
  it('is what the code says: `node scripts/write-schema.ts` writes it', async () => {
    const [wanted, written] = [await migrationDocs(), await writtenDocs()];
    for (const [path, text] of wanted) expect([path, written.get(path) === text]).toEqual([path, true]);
  });

  it('has the parameters of every step kind, by its use', async () => {
    const kinds = await listStepKinds();
    const schema = migrationJsonSchema(kinds) as { definitions: { [name: string]: JsonObject } };
    const step = schema.definitions.step as unknown as { properties: { use: { enum: string[] } }; allOf: Json[] };
    expect(step.properties.use.enum).toEqual(kinds.map(({ name }) => name));
    expect(step.properties.use.enum.length).toBeGreaterThan(7);
    expect(step.allOf).toHaveLength(kinds.length);
    expect(schema.definitions['neo4j.set-properties']).toMatchObject({
      required: expect.arrayContaining(['label', 'set']),
      additionalProperties: false,
    });
  });

  it('refers only to what it defines, and no definition is of any value at all', async () => {
    const schema = migrationJsonSchema(await listStepKinds());
    const names = Object.keys(schema.definitions as JsonObject);
    const refs = valuesOf('$ref', schema).map((ref) => String(ref).replace('#/definitions/', ''));
    expect(refs.filter((ref) => !names.includes(ref))).toEqual([]);
    expect(refs).toContain('step');
  });

  it('takes a variable for any text, since nobody knows beforehand what it will be', async () => {
    const patterns = valuesOf('pattern', migrationJsonSchema(await listStepKinds())).map(String);
    expect(patterns.length).toBeGreaterThan(5);
    for (const pattern of patterns) expect(`x${'$'}{files_table}`).toMatch(new RegExp(pattern, 'u'));
    const [id] = valuesOf('id', migrationJsonSchema([])) as { pattern: string }[];
    expect('Not An Id').not.toMatch(new RegExp(id?.pattern ?? '', 'u'));
  });

  it('is named by every migration of the packs, which name only kinds that it knows', async () => {
    const kinds = (await listStepKinds()).map(({ name }) => name);
    const folder = join(root, 'packs/tas/migrations');
    const files = readdirSync(folder);
    expect(files).toContain('space-isolation.yaml');
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8');
      const line = '# yaml-language-server: $schema=../../../docs/migration.schema.json';
      expect([file, text.split('\n').includes(line)]).toEqual([file, true]);
      const { phases } = parse(text) as { phases: { [phase: string]: { use: string }[] } };
      for (const step of Object.values(phases).flat()) expect(kinds).toContain(step.use);
    }
  });
});
