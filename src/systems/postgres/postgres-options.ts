import type { Seal } from '../../shared/sealed.ts';
import type { DatabaseOptions } from './database.ts';

/** Where the database is, and what the system works with. */
export interface PostgresOptions extends DatabaseOptions {
  /** Where pg_dump and pg_restore lie; absent = the server's version in Debian's place, else the usual folders. */
  readonly toolsFolder?: string;
  /** The server's data folder where this process can see it, for its free disk; absent = not looked at. */
  readonly dataFolder?: string;
  /** How often a change of the schema tries to get its locks, 2 s each; absent = 30. */
  readonly lockAttempts?: number;
  /** How long an index that is built beside the writers waits for older transactions, ms; absent = 60 000. */
  readonly concurrentTimeout?: number;
  /** Seals the journal's bodies. */
  readonly seal: Seal;
}
