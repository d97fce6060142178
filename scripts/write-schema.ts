import { writeMigrationDocs } from './migration-docs.ts';

/** Writes docs/migration.schema.json and the step kinds of docs/migrations.md anew, out of the code. */
await writeMigrationDocs();
