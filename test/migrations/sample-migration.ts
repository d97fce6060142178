import type { MigrationLedger } from '../../src/migrations/ledger.ts';
import type { Migration } from '../../src/migrations/migration.ts';

export function sampleMigration(over: Partial<Migration> = {}): Migration {
  return {
    id: 'fill',
    title: 'Give users a tenant',
    description: '',
    version: { from: '1.0', to: '2.0' },
    contact: '#x',
    requires: [],
    phases: {},
    verify: [],
    references: [],
    coupled: [],
    contentHash: 'a'.repeat(64),
    ...over,
  };
}

/** A ledger in which nothing was ever applied; every run is the first of its line. */
export const emptyLedger: MigrationLedger = {
  applied: async () => [],
  rehearsal: async () => null,
  lineage: async (runId) => ({ origin: runId, undone: false }),
};
