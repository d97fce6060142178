import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../shared/failure.ts';
import type { Secret } from '../shared/secret.ts';
import type { BackupContext, Fingerprint, System } from '../systems/system.ts';
import {
  type BackupSet,
  corrupt,
  readManifest,
  type StoredPart,
  signManifest,
  storedPartSchema,
} from './backup-set.ts';

/** A set as it is listed; `bytes` counts its own files, not the objects it shares with other sets. */
export interface ListedSet {
  readonly id: string;
  readonly environment: string;
  readonly createdAt: string;
  readonly bytes: number;
  readonly systems: readonly string[];
  readonly proven: { readonly at: string; readonly seconds: number } | null;
}

type Progress = BackupContext['progress'];

export interface PartRequest {
  readonly environment: string;
  readonly setId: string;
  readonly system: System;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Backup sets on a disk: `<root>/<environment>/<set>/<system>/…`; a set without a manifest is incomplete. */
export interface BackupFolder {
  /** Takes one system's part; one that is complete is not taken again. Throws `disk-full`, leaving nothing behind. */
  takePart(request: PartRequest): Promise<StoredPart>;
  /** Writes the signed manifest, last of all. Throws `precondition-failed` when a part is missing. */
  sealSet(
    environment: string,
    setId: string,
    systems: readonly string[],
    createdAt: Date,
    engine: string,
  ): Promise<BackupSet>;
  /** Complete sets whose manifest can be trusted, newest first. */
  listSets(environment: string): Promise<ListedSet[]>;
  /** Throws `unknown-backup` or `corrupt-backup`. */
  readSet(environment: string, setId: string): Promise<BackupSet>;
  /** Verifies every checksum of the part, then replaces what the system holds. */
  restorePart(request: PartRequest): Promise<Fingerprint>;
}

const manifestName = 'manifest.json';
const partName = 'part.json';

/** Opens the folder of all backups; makes it when the first set is taken. */
export function createBackupFolder(root: string, key: Secret): BackupFolder {
  const setFolder = (environment: string, setId: string): string => join(root, safe(environment), safe(setId));
  const objectsFolder = (environment: string): string => join(root, safe(environment), 'objects');
  const readSet = async (environment: string, setId: string): Promise<BackupSet> => {
    const text = await readFile(join(setFolder(environment, setId), manifestName), 'utf8').catch(() => null);
    if (text === null) throw unknown(environment, setId);
    const set = readManifest(text, key);
    if (set.id !== setId || set.environment !== environment) throw corrupt('it belongs to another place');
    return set;
  };
  return {
    readSet,
    async takePart(request) {
      const folder = setFolder(request.environment, request.setId);
      const done = await readPart(join(folder, request.system.name));
      if (done) return done;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await refuseFullDisk(folder, await lastBytes(this, request));
      return takeFresh(request, folder, objectsFolder(request.environment));
    },
    async sealSet(environment, setId, systems, createdAt, engine) {
      const parts: Record<string, StoredPart> = {};
      for (const name of systems) {
        const part = await readPart(join(setFolder(environment, setId), name));
        if (!part) throw incomplete(setId, name);
        parts[name] = part;
      }
      const set: BackupSet = { version: 1, id: setId, environment, createdAt: createdAt.toISOString(), engine, parts };
      await writeDurably(join(setFolder(environment, setId), manifestName), signManifest(set, key));
      return set;
    },
    async listSets(environment) {
      const names = await readdir(join(root, safe(environment))).catch(() => [] as string[]);
      const ids = names
        .filter((name) => name.startsWith('bak-'))
        .sort()
        .reverse();
      // A set that is incomplete or was tampered with is not offered; asking for it by name says what is wrong with it.
      const sets = await Promise.all(ids.map((id) => readSet(environment, id).catch(() => null)));
      return sets.filter((set) => set !== null).map(asListed);
    },
    async restorePart(request) {
      const set = await readSet(request.environment, request.setId);
      const { system } = request;
      const part = set.parts[system.name];
      if (!part || part.systemType !== system.type || !system.restore) throw notInSet(set.id, system.name);
      const folder = join(setFolder(request.environment, request.setId), system.name);
      await verifyFiles(folder, part);
      const { format, files, fingerprint, excludes } = part;
      return system.restore(
        { format, files, fingerprint, excludes },
        folder,
        contextOf(request, objectsFolder(request.environment)),
      );
    },
  };
}

async function takeFresh(request: PartRequest, setFolder: string, objects: string): Promise<StoredPart> {
  const { system } = request;
  if (!system.backup) throw notInSet(request.setId, system.name);
  const target = join(setFolder, system.name);
  const working = `${target}.partial`;
  // What an earlier, killed attempt left is of no use: parts are taken whole.
  await rm(working, { recursive: true, force: true });
  await rm(target, { recursive: true, force: true });
  await mkdir(working, { recursive: true, mode: 0o700 });
  await mkdir(objects, { recursive: true, mode: 0o700 });
  const started = performance.now();
  try {
    const identity = await system.identity();
    const part = await system.backup(working, contextOf(request, objects));
    const stored: StoredPart = {
      systemType: system.type,
      identity,
      format: part.format,
      files: part.files.map((file) => ({ ...file })),
      fingerprint: { counts: { ...part.fingerprint.counts }, hash: part.fingerprint.hash },
      excludes: [...part.excludes],
      seconds: Math.round((performance.now() - started) / 10) / 100,
    };
    await writeDurably(join(working, partName), JSON.stringify(stored));
    await rename(working, target);
    return stored;
  } catch (error) {
    await rm(working, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw await diskFull(setFolder, null);
    throw error;
  }
}

function contextOf(request: PartRequest, objects: string): BackupContext {
  return { objectsFolder: objects, signal: request.signal, progress: request.progress };
}

async function readPart(folder: string): Promise<StoredPart | null> {
  const text = await readFile(join(folder, partName), 'utf8').catch(() => null);
  return text === null ? null : storedPartSchema.parse(JSON.parse(text));
}

async function verifyFiles(folder: string, part: StoredPart): Promise<void> {
  for (const file of part.files) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, file.path)), hash).catch(() => {
      throw corrupt(`${file.path} cannot be read`);
    });
    if (hash.digest('hex') !== file.sha256) throw corrupt(`${file.path} is not what was written`);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const working = `${path}.partial`;
  const file = await open(working, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(working, path);
}

/** Bytes of this system's part in the newest set; 0 when there is none. */
async function lastBytes(folder: BackupFolder, { environment, system }: PartRequest): Promise<number> {
  const [newest] = await folder.listSets(environment);
  if (!newest) return 0;
  const part = (await folder.readSet(environment, newest.id)).parts[system.name];
  return part ? sum(part) : 0;
}

async function refuseFullDisk(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < 2 * needed) throw await diskFull(folder, needed);
}

async function diskFull(folder: string, needed: number | null): Promise<Failure> {
  const { bavail, bsize } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  const want = needed === null ? '' : `, and twice the last part (${Math.ceil((2 * needed) / 1_000_000)} MB) must be`;
  return new Failure({
    code: 'disk-full',
    message: `There is no room for the backup: ${free} MB are free${want}.`,
    advice: 'The unfinished part was removed and no store was changed. Free space in the backups folder, then retry.',
    retryable: true,
  });
}

function asListed(set: BackupSet): ListedSet {
  const { id, environment, createdAt, parts } = set;
  const bytes = Object.values(parts).reduce((total, part) => total + sum(part), 0);
  return { id, environment, createdAt, bytes, systems: Object.keys(parts), proven: null };
}

function sum(part: StoredPart): number {
  return part.files.reduce((total, file) => total + file.bytes, 0);
}

/** Names come from commands: one that is not a plain name cannot lead elsewhere. */
function safe(name: string): string {
  if (/^[a-z0-9][a-z0-9-]*$/.test(name)) return name;
  throw new Failure({
    code: 'unknown-backup',
    message: 'That is not the name of a backup set.',
    advice: '`/tas status` names the last one.',
  });
}

function unknown(environment: string, setId: string): Failure {
  return new Failure({
    code: 'unknown-backup',
    message: `There is no complete backup set ${setId} of ${environment}.`,
    advice: '`/tas status` names the last one. Nothing was changed.',
  });
}

function incomplete(setId: string, system: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `The backup set ${setId} lacks its part of ${system}.`,
    advice: 'The set is not usable; retry the run.',
    retryable: true,
  });
}

function notInSet(setId: string, system: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `${setId} holds nothing that ${system} could be restored from.`,
    advice: 'Nothing was changed. Choose another set.',
  });
}
