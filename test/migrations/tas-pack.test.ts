import { join } from 'node:path';
import { readChecks } from '../../src/checks/check.ts';
import { readMigrations } from '../../src/migrations/migration-files.ts';
import type { FieldRef } from '../../src/systems/system.ts';

const pack = join(import.meta.dirname, '../../packs/tas');
const variables = { files_table: 'audimodal_files' };

describe('the pack of the TAS platform', () => {
  it('has the migration and the checks of space isolation', async () => {
    const migrations = await readMigrations([pack], variables);
    expect([...migrations.keys()]).toContain('space-isolation');
    const standing = [...(await readChecks([pack], variables)).values()].filter((check) => check.standing);
    expect(standing.slice(0, 5).map(({ title }) => title)).toEqual([
      'All users have unique tenant_id values',
      'All tenant IDs follow tenant_<timestamp> format',
      'All space IDs correctly derived from tenant IDs',
      'All notebooks have tenant_id and space_id',
      'All documents have tenant_id and space_id',
    ]);
  });

  it('names only checks that exist', async () => {
    const checks = await readChecks([pack], variables);
    for (const migration of (await readMigrations([pack], variables)).values()) {
      for (const id of [...migration.requires, ...migration.verify]) expect([...checks.keys()]).toContain(id);
    }
  });

  it('leads from each data-model version to one other: the order of its migrations is never in doubt', async () => {
    const versions = [...(await readMigrations([pack], variables)).values()].map(({ version }) => version);
    const froms = versions.filter(({ from, to }) => from !== to).map(({ from }) => from);
    expect(froms.filter((from, index) => froms.indexOf(from) !== index)).toEqual([]);
    const starts = froms.filter((from) => !versions.some(({ to }) => to === from));
    expect(starts).toEqual(['1.0']);
  });

  it('leaves no variable unfilled', async () => {
    const all = [
      ...(await readMigrations([pack], variables)).values(),
      ...(await readChecks([pack], variables)).values(),
    ];
    expect(JSON.stringify(all)).not.toMatch(/\$\{/);
    expect(JSON.stringify(all)).toContain('audimodal_files');
  });

  it('says which variable is missing, and where', async () => {
    await expect(readMigrations([pack], {})).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringMatching(/[a-z-]+\.yaml, line \d+, column \d+: the variable files_table is not set/),
    });
    await expect(readChecks([pack], {})).rejects.toMatchObject({ code: 'invalid-file' });
  });

  it('couples fields of one record, and refers to fields that its steps or the platform know', async () => {
    const name = ({ system, collection, field }: FieldRef): string => `${system}:${collection}.${field}`;
    for (const migration of (await readMigrations([pack], variables)).values()) {
      for (const group of migration.coupled) {
        expect(new Set(group.map(({ system, collection }) => `${system}:${collection}`)).size).toBe(1);
        expect(new Set(group.map(name)).size).toBe(group.length);
      }
      const pairs = migration.references.map(({ from, to }) => `${name(from)} → ${name(to)}`);
      expect(new Set(pairs).size).toBe(pairs.length);
    }
  });
});
