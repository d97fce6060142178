import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import { digestOf } from '../shared/json.ts';
import { openYamlFile, type YamlFile } from '../shared/yaml-file.ts';
import { findMisfit, type Surroundings } from './find-misfit.ts';
import { type Migration, migrationSchema, sectionsOf } from './migration.ts';

type Variables = { readonly [name: string]: string };

/**
 * All migrations of the packs, by id. Throws `invalid-file` for the first that is wrong in itself or doubled. What does not
 * fit the surroundings (a system that the environment does not have, parameters that its step kind refuses) is that
 * migration's `problem` alone: the others can be used.
 */
export async function readMigrations(
  packs: readonly string[],
  variables: Variables,
  surroundings?: Surroundings,
): Promise<ReadonlyMap<string, Migration>> {
  const migrations = new Map<string, Migration>();
  for (const path of await migrationPaths(packs)) {
    const migration = await readMigration(path, variables, surroundings);
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

/** One migration file. Throws `invalid-file` with line and column. Without surroundings only its form is looked at. */
export async function readMigration(
  path: string,
  variables: Variables,
  surroundings?: Surroundings,
): Promise<Migration> {
  const file = await openYamlFile(path, migrationSchema, variables);
  refuseDoubledSteps(file);
  // What was written counts, not what this version of the bot makes of it: a default that is new changes no file.
  const migration = { ...file.value, contentHash: digestOf(file.content) } as Migration;
  const problem = surroundings ? await findMisfit(file, migration, surroundings) : null;
  return problem === null ? migration : { ...migration, problem };
}

function refuseDoubledSteps(file: YamlFile<z.infer<typeof migrationSchema>>): void {
  const known = new Set<string>();
  for (const { path, steps } of sectionsOf(file.value as unknown as Migration)) {
    for (const [index, { id }] of steps.entries()) {
      if (known.has(id)) throw file.refuse([...path, index, 'id'], `two steps have the id ${id}`);
      known.add(id);
    }
  }
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
