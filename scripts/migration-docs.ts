import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { migrationJsonSchema } from '../src/migrations/json-schema.ts';
import { kindsText } from './kinds-text.ts';
import { listStepKinds } from './step-kinds.ts';

const root = resolve(import.meta.dirname, '..');
const begin = '<!-- The step kinds: written by `node scripts/write-schema.ts`. -->\n';
const end = '<!-- End of the step kinds. -->\n';

/** Files that are made out of the code, by their path in the project, as they should be. */
export async function migrationDocs(): Promise<ReadonlyMap<string, string>> {
  const kinds = await listStepKinds();
  const guide = await readFile(join(root, 'docs/migrations.md'), 'utf8');
  const [before, rest] = guide.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error('docs/migrations.md has lost its marks');
  const packs = ['packs/tas'];
  return new Map([
    ['docs/migration.schema.json', `${JSON.stringify(migrationJsonSchema(kinds), null, 2)}\n`],
    ['docs/migrations.md', `${before}${begin}\n${await kindsText(root, kinds, packs)}\n${end}${after}`],
  ]);
}

/** What these files hold now. */
export async function writtenDocs(): Promise<ReadonlyMap<string, string>> {
  const paths = ['docs/migration.schema.json', 'docs/migrations.md'];
  return new Map(
    await Promise.all(
      paths.map(async (path): Promise<[string, string]> => {
        return [path, await readFile(join(root, path), 'utf8').catch(() => '')];
      }),
    ),
  );
}

export async function writeMigrationDocs(): Promise<void> {
  for (const [path, text] of await migrationDocs()) await writeFile(join(root, path), text);
}
