import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checksumOf } from '../shared/checksum.ts';
import { Failure } from '../shared/failure.ts';
import { canonicalJson } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import type { BackupContext, BackupPart, Fingerprint, System } from '../systems/system.ts';
import type { Scratch } from '../systems/trial.ts';
import { type BackupSet, corrupt, type StoredPart, storedPartSchema } from './backup-set.ts';
import { diskFull, isDiskFull } from './disk-room.ts';
import { syncToDisk, writeDurably } from './durable-file.ts';
import type { TrialDepth } from './proof.ts';
import { referencesOf, verifyObjects } from './shared-objects.ts';

/** The file that says that a part is complete: written last. */
const partName = 'part.json';

/** Null where the part is not complete, or what says so cannot be read: then it is taken again. */
export async function readStoredPart(folder: string): Promise<StoredPart | null> {
  const text = await readFile(join(folder, partName), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return storedPartSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Takes a part whole, beside its place, and moves it there when all of it is on disk. */
export async function takePart(
  system: System,
  setId: string,
  target: string,
  context: BackupContext,
): Promise<StoredPart> {
  if (!system.backup) throw notInSet(setId, system.name);
  const working = `${target}.partial`;
  // What an earlier, killed attempt left is of no use: parts are taken whole.
  await rm(working, { recursive: true, force: true });
  await rm(target, { recursive: true, force: true });
  await mkdir(working, { mode: 0o700 });
  const started = performance.now();
  try {
    const identity = await system.identity();
    const part = await system.backup(working, context);
    for (const file of part.files) await syncToDisk(join(working, file.path));
    const stored = asStored(system, identity, part, performance.now() - started);
    await writeDurably(join(working, partName), JSON.stringify(stored));
    await rename(working, target);
    await syncToDisk(dirname(target));
    return stored;
  } catch (error) {
    await rm(working, { recursive: true, force: true });
    if (isDiskFull(error)) throw await diskFull(dirname(target), null, error);
    throw error;
  }
}

function asStored(system: System, identity: string, part: BackupPart, milliseconds: number): StoredPart {
  return {
    systemType: system.type,
    identity,
    format: part.format,
    files: part.files.map((file) => ({ ...file })),
    fingerprint: { counts: { ...part.fingerprint.counts }, hash: part.fingerprint.hash },
    excludes: [...part.excludes],
    seconds: Math.round(milliseconds / 10) / 100,
  };
}

/** Verifies the part, restores it, and compares what the system then holds with what it held when the part was taken. */
export async function restorePart(
  system: System,
  set: BackupSet,
  folder: string,
  context: BackupContext,
): Promise<Fingerprint> {
  const part = set.parts[system.name];
  if (!part || part.systemType !== system.type || !system.restore) throw notInSet(set.id, system.name);
  await verifyFiles(folder, part);
  const { format, files, fingerprint, excludes } = part;
  const restored = await system.restore({ format, files, fingerprint, excludes }, folder, context);
  if (restored.hash === fingerprint.hash) return restored;
  throw new Failure({
    code: 'step-failed',
    message: `${system.name} was restored from ${set.id}, but it holds something else than it did when the set was taken.`,
    advice: 'Somebody may be writing to it: stop the services, then retry. The safety set holds what was there before.',
  });
}

export interface TriedPart {
  readonly depth: TrialDepth;
  /** What the part holds, as it was read. */
  readonly fingerprint: Fingerprint;
  /** What the checks found in what was restored. */
  readonly findings: readonly Finding[];
}

/** Looks at what was restored beside the live data, while it is there. */
export type LookAtScratch = (system: string, scratch: Scratch) => Promise<readonly Finding[]>;

/**
 * Tries the part as far as the system can without touching what is live; null = the environment has the system no more.
 * Throws `corrupt-backup`, and what keeps a restore from working.
 */
export async function tryPart(
  system: System | null,
  part: StoredPart,
  folder: string,
  context: BackupContext,
  look: LookAtScratch,
): Promise<TriedPart> {
  await verifyPart(folder, part, context.objectsFolder);
  const { format, files, fingerprint, excludes } = part;
  const plain: BackupPart = { format, files, fingerprint, excludes };
  const trial = system?.type === part.systemType ? system.trial : undefined;
  const read = async (findings: readonly Finding[]): Promise<TriedPart> => {
    if (!system || !trial?.readPart) return { depth: 'checksums', fingerprint, findings };
    const found = await trial.readPart(plain, folder, context);
    expectSame(system.name, fingerprint, found);
    return { depth: 'read', fingerprint: found, findings };
  };
  if (!system || !trial?.restoreBeside) return read([]);
  try {
    return await trial.restoreBeside(plain, folder, context, async (scratch): Promise<TriedPart> => {
      expectSame(system.name, fingerprint, scratch.fingerprint);
      return { depth: 'restored', fingerprint: scratch.fingerprint, findings: await look(system.name, scratch) };
    });
  } catch (error) {
    // A restore may need less than a place beside what is live: then the part is read at least, and that is said.
    if (!(error instanceof Failure) || error.code !== 'missing-rights' || !trial.readPart) throw error;
    return read([notBeside(system.name, error)]);
  }
}

function notBeside(system: string, { message, advice }: Failure): Finding {
  const title = `${system} was only read back: ${message}`;
  return { check: `drill-${system}-beside`, title, status: 'warning', count: 1, samples: [], advice };
}

function expectSame(system: string, wanted: Fingerprint, found: Fingerprint): void {
  if (found.hash === wanted.hash && canonicalJson(found.counts) === canonicalJson(wanted.counts)) return;
  throw corrupt(`what ${system} would be restored to is not what was backed up (counts or fingerprint differ)`);
}

/** Reads every file and every shared object of the part again; throws `corrupt-backup`. */
export async function verifyPart(folder: string, part: StoredPart, objectsFolder: string): Promise<void> {
  await verifyFiles(folder, part);
  await verifyObjects(objectsFolder, referencesOf(folder, part));
}

async function verifyFiles(folder: string, part: StoredPart): Promise<void> {
  for (const file of part.files) {
    const found = await checksumOf(join(folder, file.path)).catch((cause: unknown) => {
      throw corrupt(`${file.path} cannot be read`, cause);
    });
    if (found.sha256 !== file.sha256) throw corrupt(`${file.path} is not what was written`);
  }
}

/** Bytes of a part's own files. */
export function bytesOf(part: StoredPart): number {
  return part.files.reduce((total, file) => total + file.bytes, 0);
}

function notInSet(setId: string, system: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${setId} holds nothing that ${system} could be restored from.`,
    advice: 'Nothing was changed. Choose another set.',
  });
}
