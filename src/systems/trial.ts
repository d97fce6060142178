import type { BackupContext, BackupPart, Fingerprint } from './backup-part.ts';
import type { System } from './system.ts';

/** What was restored beside the live data, while it is there. */
export interface Scratch extends Pick<System, 'violations'> {
  /** Read from the copy. */
  readonly fingerprint: Fingerprint;
}

/** How far a system can try a part of a backup without touching what is live. */
export interface Trial {
  /**
   * Restores the part into a place of its own beside the live data, lets `look` see it, and takes it away again, whatever
   * happened; what a killed call has left goes first. Throws `corrupt-backup` when what it restores to is not what was
   * backed up. One call at a time. Absent = the server has no room for a second one.
   */
  restoreBeside?<T>(
    part: BackupPart,
    folder: string,
    context: BackupContext,
    look: (scratch: Scratch) => Promise<T>,
  ): Promise<T>;
  /** Reads all of the part as a restore would, writing nothing, and answers what it holds. Throws `corrupt-backup`. */
  readPart?(part: BackupPart, folder: string, context: BackupContext): Promise<Fingerprint>;
}
