import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../shared/failure.ts';
import { digestOf, type Json } from '../shared/json.ts';
import { readYamlFile } from '../shared/yaml-file.ts';
import { type Migration, migrationSchema } from './migration.ts';

type Variables = { readonly [name: string]: string };

/** All migrations of the packs, by id. Throws `invalid-file` for the first that is wrong or doubled. */
export async function readMigrations(
  packs: readonly string[],
  variables: Variables,
): Promise<ReadonlyMap<string, Migration>> {
  const migrations = new Map<string, Migration>();
  for (const path of await migrationPaths(packs)) {
    const migration = await readMigration(path, variables);
    if (migrations.has(migration.id)) {
      throw new Failure({
        code: 'invalid-file',
        message: `Two files hold a migration with the id ${migration.id}.`,
        advice: 'Give one of them another id; ids never change once a migration was applied. Nothing was changed.',
      });
    }
    migrations.set(migration.id, migration);
  }
  return migrations;
}

/** One migration file. Throws `invalid-file` with line and column. */
export async function readMigration(path: string, variables: Variables): Promise<Migration> {
  const content = await readYamlFile(path, migrationSchema, variables);
  const steps = Object.values(content.phases).flat();
  const doubled = steps.find((step, at) => steps.findIndex((other) => other.id === step.id) !== at);
  if (doubled) {
    throw new Failure({
      code: 'invalid-file',
      message: `${content.id}: two steps have the id ${doubled.id}.`,
      advice: 'Step ids are unique within a migration. Correct the file and ask again. Nothing was changed.',
    });
  }
  return { ...content, contentHash: digestOf(content as unknown as Json) } as Migration;
}

async function migrationPaths(packs: readonly string[]): Promise<string[]> {
  const folders = packs.map((pack) => join(pack, 'migrations'));
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const files = await readdir(folder).catch(() => [] as string[]);
      return files.filter((file) => /\.ya?ml$/.test(file)).map((file) => join(folder, file));
    }),
  );
  return lists.flat().sort();
}
