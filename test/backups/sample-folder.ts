import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackupFolder, createBackupFolder, type PartRequest } from '../../src/backups/backup-folder.ts';
import type { BackupSet } from '../../src/backups/backup-set.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { Secret } from '../../src/shared/secret.ts';
import { createMemorySystem, type MemorySystem } from '../../src/systems/memory/memory-system.ts';
import type { System } from '../../src/systems/system.ts';

/** A folder of backups and two systems in memory that are backed up into it. */
export interface SampleFolder {
  readonly root: string;
  readonly folder: BackupFolder;
  readonly people: MemorySystem;
  readonly files: MemorySystem;
  /** The same folder under another key. */
  withKey(key: string): BackupFolder;
  request(setId: string, system?: System, over?: Partial<PartRequest>): PartRequest;
  /** A whole set of both systems, sealed at this time. */
  take(setId: string, at?: string): Promise<BackupSet>;
  remove(): Promise<void>;
}

export async function sampleFolder(root?: string): Promise<SampleFolder> {
  const at = root ?? (await mkdtemp(join(tmpdir(), 'tas-backups-')));
  const seal = createSeal(Buffer.alloc(32, 7));
  const people = createMemorySystem({
    name: 'people',
    seal,
    records: { User: [{ id: 'u-1', email: 'one@example.org' }, { id: 'u-2' }] },
  });
  const files = createMemorySystem({ name: 'files', seal, records: { File: [{ id: 'f-1' }] } });
  const withKey = (key: string): BackupFolder => createBackupFolder(at, new Secret(key));
  const folder = withKey('the key');
  const request = (setId: string, system: System = people, over: Partial<PartRequest> = {}): PartRequest => ({
    environment: 'test',
    setId,
    system,
    signal: AbortSignal.timeout(10_000),
    progress: () => {},
    ...over,
  });
  return {
    root: at,
    folder,
    people,
    files,
    withKey,
    request,
    async take(setId, sealedAt = '2026-11-22T10:00:00.000Z') {
      for (const system of [people, files]) await folder.takePart(request(setId, system));
      return folder.sealSet('test', setId, ['people', 'files'], new Date(sealedAt), 'engine-1');
    },
    remove: () => rm(at, { recursive: true, force: true }),
  };
}
