import { jest } from '@jest/globals';
import type { ContractSubject } from '../contract-subject.ts';
import { describeSystemContract } from '../system-contract.ts';
import { createFreshDatabase, systemAt } from './fresh-database.ts';

jest.setTimeout(60_000);

const tables = `
  CREATE TABLE spaces (id text PRIMARY KEY, tenant text);
  CREATE TABLE files (id uuid PRIMARY KEY, name text NOT NULL, space text, other text, bytes bigint, made timestamptz);
  INSERT INTO spaces VALUES ('s1', 't1'), ('s2', 't2');
  INSERT INTO files SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'file ' || n, NULL,
    CASE WHEN n % 2 = 0 THEN 's1' END, n * 1000, '2026-01-01'::timestamptz + n * interval '1 hour 0.123456 seconds' FROM generate_series(1, 9) n;`;
const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const password = 'never-to-be-shown';

async function makeSubject(): Promise<ContractSubject> {
  const db = await createFreshDatabase();
  await db.sql(tables);
  const unreachable = db.at({ password });
  unreachable.port = '1';
  return {
    system: db.system,
    reopen: async () => systemAt(db.url),
    examples: [
      {
        kind: 'postgres.backfill-column',
        input: {
          table: 'files',
          key: 'id',
          where: 'space IS NULL',
          columns: { space: "'s' || (bytes / 1000 % 2 + 1)" },
        },
        count: 9,
        edit: {
          field: 'space',
          apply: async () => {
            await db.sql(`UPDATE files SET space = 'mine', name = 'renamed' WHERE id = '${id(4)}'`);
          },
        },
      },
      {
        kind: 'postgres.add-column',
        input: { table: 'files', column: 'note', type: 'varchar(40)' },
        count: 1,
        ofSchema: true,
      },
      {
        kind: 'postgres.add-foreign-key',
        input: { table: 'files', name: 'files_other', column: 'other', references: { table: 'spaces', column: 'id' } },
        count: 1,
        ofSchema: true,
      },
    ],
    reading: {
      lookup: { collection: 'files', by: 'id', fields: ['name', 'bytes', 'other'] },
      scan: { collection: 'files', key: 'id', fields: ['name', 'made'] },
      keys: [1, 2, 3, 4, 5, 6, 7, 8, 9].map(id),
      where: { text: 'bytes > 7000', keys: [8, 9].map(id) },
    },
    statements: {
      finds: { text: 'SELECT id, name FROM files WHERE other IS NULL ORDER BY id', count: 5 },
      findsNothing: 'SELECT id FROM files WHERE name IS NULL',
      unreadable: 'SELECT id FRM files',
      writes: 'WITH gone AS (DELETE FROM files RETURNING id) SELECT id FROM gone',
    },
    change: async () => {
      await db.sql(`UPDATE files SET name = 'changed' WHERE bytes = 1000; DELETE FROM files WHERE bytes = 2000;
        INSERT INTO files (id, name) VALUES ('${id(77)}', 'added')`);
    },
    refused: {
      password,
      wrongPassword: () => systemAt(db.at({ password })),
      unreachable: () => systemAt(unreachable),
    },
    close: () => db.drop(),
  };
}

describeSystemContract('postgres', makeSubject);
