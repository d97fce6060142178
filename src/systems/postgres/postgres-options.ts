import type { Seal } from '../../shared/sealed.ts';
import type { DatabaseOptions } from './database.ts';

/** Where the database is, and what the system works with. */
export interface PostgresOptions extends DatabaseOptions {
  /** Where pg_dump and pg_restore lie; absent = the server's version in Debian's place, else the usual folders. */
  readonly toolsFolder?: string;
  /** Seals the journal's bodies. */
  readonly seal: Seal;
}
