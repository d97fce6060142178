import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../shared/failure.ts';
import type { Secret } from '../shared/secret.ts';
import type { Finding } from '../systems/finding.ts';
import type { BackupContext, Fingerprint, System } from '../systems/system.ts';
import { type BackupSet, corrupt, readManifest, type StoredPart, signManifest } from './backup-set.ts';
import { bytesIn, refuseFullDisk } from './disk-room.ts';
import { writeDurably } from './durable-file.ts';
import { withFolderLock } from './folder-lock.ts';
import { type Proof, readProof, removeProof, writeProof } from './proof.ts';
import { chooseRemovals, type KnownSet, type Removal, type Retention, removeSets } from './retention.ts';
import {
  bytesOf,
  type LookAtScratch,
  readStoredPart,
  restorePart,
  type TriedPart,
  takePart,
  tryPart,
  verifyPart,
} from './stored-part.ts';

/** A set as it is listed; `bytes` counts its own files, not the objects it shares with other sets. */
export interface ListedSet {
  readonly id: string;
  readonly environment: string;
  readonly createdAt: string;
  readonly bytes: number;
  readonly systems: readonly string[];
  readonly proven: Proof | null;
}

export interface PartRequest {
  readonly environment: string;
  readonly setId: string;
  readonly system: System;
  readonly signal: AbortSignal;
  readonly progress: BackupContext['progress'];
}

export interface RemovableSet {
  readonly id: string;
  readonly takenAt: Date;
  readonly bytes: number;
}

/** `system` null = the environment has it no more. */
export interface TrialRequest extends Pick<PartRequest, 'environment' | 'setId' | 'signal'> {
  readonly name: string;
  readonly system: System | null;
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
  /** Reads all of the set again, shared objects included; throws `corrupt-backup` at the first thing that is wrong. */
  verifySet(environment: string, setId: string): Promise<void>;
  /** What restoring the part would replay or lose beside the data, as the system says; empty where it has nothing to say. */
  previewRestore(request: Pick<PartRequest, 'environment' | 'setId' | 'system'>): Promise<readonly Finding[]>;
  /**
   * Verifies every checksum of the part, then replaces what the system holds. Throws `step-failed` when the system then
   * holds something else than the part says.
   */
  restorePart(request: PartRequest): Promise<Fingerprint>;
  /** Tries one part without touching what is live; throws `corrupt-backup`, and what would keep a restore from working. */
  tryPart(request: TrialRequest, look: LookAtScratch): Promise<TriedPart>;
  /** Lets one process at a time try sets of the environment; backups go on beside it. Throws `environment-busy`. */
  whileTrying<T>(environment: string, work: () => Promise<T>): Promise<T>;
  /** Writes down that the set was tried and passed the checks; null = it did not. */
  markProven(environment: string, setId: string, proof: Proof | null): Promise<void>;
  /** What `removeOlder` would remove, oldest last; `bytes` without the objects that sets share. */
  removable(environment: string, retention: Retention, now: Date): Promise<readonly RemovableSet[]>;
  /**
   * Removes sets that the rule does not keep, and shared objects that no set needs; never the newest complete set, nor the last
   * proven one. `only`: no others than these.
   */
  removeOlder(environment: string, retention: Retention, now: Date, only?: readonly string[]): Promise<Removal>;
}

const manifestName = 'manifest.json';

/** Where the sets of one environment are, and what signs them. */
class Shelf {
  readonly environment: string;
  readonly folder: string;
  readonly objects: string;
  readonly #key: Secret;

  constructor(root: string, environment: string, key: Secret) {
    this.environment = environment;
    this.folder = join(root, safe(environment));
    this.objects = join(this.folder, 'objects');
    this.#key = key;
  }

  at(setId: string, ...inside: string[]): string {
    return join(this.folder, safe(setId), ...inside);
  }

  async read(setId: string): Promise<BackupSet> {
    const text = await readFile(this.at(setId, manifestName), 'utf8').catch(() => null);
    if (text === null) throw unknown(this.environment, setId);
    const set = readManifest(text, this.#key);
    if (set.id !== setId || set.environment !== this.environment) throw corrupt('it belongs to another place');
    return set;
  }

  async seal(set: BackupSet): Promise<void> {
    await writeDurably(this.at(set.id, manifestName), signManifest(set, this.#key));
  }

  /** All sets, complete or not, newest first. */
  async ids(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => [] as string[]);
    return names
      .filter((name) => name.startsWith('bak-'))
      .sort()
      .reverse();
  }

  async list(): Promise<ListedSet[]> {
    const sets: ListedSet[] = [];
    for (const id of await this.ids()) {
      // A set that is incomplete or was tampered with is not offered; asking for it by name says what is wrong with it.
      const set = await this.read(id).catch(() => null);
      if (set) sets.push(asListed(set, await readProof(this.at(id), id, this.#key)));
    }
    return sets;
  }

  async prove(setId: string, proof: Proof | null): Promise<void> {
    if (proof === null) return removeProof(this.at(setId));
    await this.read(setId);
    await writeProof(this.at(setId), setId, proof, this.#key);
  }

  /** Bytes of a system's part in the newest set; 0 when there is none. */
  async lastBytes(system: string): Promise<number> {
    const [newest] = await this.list();
    const part = newest && (await this.read(newest.id)).parts[system];
    return part ? bytesOf(part) : 0;
  }

  async known(): Promise<KnownSet[]> {
    const trusted = new Map((await this.list()).map((set) => [set.id, set]));
    const known: KnownSet[] = [];
    for (const id of await this.ids()) {
      const sealed = await stat(this.at(id, manifestName)).catch(() => null);
      const state = trusted.has(id) ? 'complete' : sealed ? 'untrusted' : 'incomplete';
      const set = trusted.get(id);
      const takenAt = set ? new Date(set.createdAt) : (await stat(this.at(id))).mtime;
      known.push({ id, takenAt, state, proven: set ? set.proven !== null : false });
    }
    return known;
  }
}

/** Opens the folder of all backups; makes it when the first set is taken. */
export function createBackupFolder(root: string, key: Secret): BackupFolder {
  const shelf = (environment: string): Shelf => new Shelf(root, environment, key);
  const contextOf = (request: PartRequest): BackupContext => ({
    objectsFolder: shelf(request.environment).objects,
    signal: request.signal,
    progress: request.progress,
  });
  return {
    async takePart(request) {
      const { system, setId } = request;
      const place = shelf(request.environment);
      const target = place.at(setId, system.name);
      return withFolderLock(place.folder, async () => {
        const done = await readStoredPart(target);
        if (done) return done;
        for (const folder of [place.at(setId), place.objects]) await mkdir(folder, { recursive: true, mode: 0o700 });
        await refuseFullDisk(place.folder, await place.lastBytes(system.name));
        return takePart(system, setId, target, contextOf(request));
      });
    },
    async sealSet(environment, setId, systems, createdAt, engine) {
      const parts: Record<string, StoredPart> = {};
      for (const name of systems) {
        const part = await readStoredPart(shelf(environment).at(setId, name));
        if (!part) throw incomplete(setId, name);
        parts[name] = part;
      }
      const set: BackupSet = { version: 1, id: setId, environment, createdAt: createdAt.toISOString(), engine, parts };
      await shelf(environment).seal(set);
      return set;
    },
    listSets: (environment) => shelf(environment).list(),
    readSet: async (environment, setId) => shelf(environment).read(setId),
    async verifySet(environment, setId) {
      const place = shelf(environment);
      const { parts } = await place.read(setId);
      for (const [system, part] of Object.entries(parts))
        await verifyPart(place.at(setId, system), part, place.objects);
    },
    async previewRestore({ environment, setId, system }) {
      const place = shelf(environment);
      const part = (await place.read(setId)).parts[system.name];
      return (part && (await system.previewRestore?.(part, place.at(setId, system.name)))) ?? [];
    },
    async restorePart(request) {
      const place = shelf(request.environment);
      const set = await place.read(request.setId);
      return withFolderLock(place.folder, () =>
        restorePart(request.system, set, place.at(set.id, request.system.name), contextOf(request)),
      );
    },
    async tryPart({ environment, setId, name, system, signal }, look) {
      const place = shelf(environment);
      const part = (await place.read(setId)).parts[name];
      if (!part) throw incomplete(setId, name);
      const context: BackupContext = { objectsFolder: place.objects, signal, progress: () => undefined };
      return tryPart(system, part, place.at(setId, name), context, look);
    },
    whileTrying: (environment, work) => withFolderLock(join(shelf(environment).folder, '.trials'), work),
    markProven: (environment, setId, proof) => shelf(environment).prove(setId, proof),
    ...createRemovals(shelf),
  };
}

function createRemovals(shelf: (environment: string) => Shelf): Pick<BackupFolder, 'removable' | 'removeOlder'> {
  return {
    async removable(environment, retention, now) {
      const place = shelf(environment);
      const known = await place.known();
      const ids = new Set(chooseRemovals(known, retention, now));
      const found = known.filter(({ id }) => ids.has(id));
      return Promise.all(found.map(async ({ id, takenAt }) => ({ id, takenAt, bytes: await bytesIn(place.at(id)) })));
    },
    async removeOlder(environment, retention, now, only) {
      const place = shelf(environment);
      return withFolderLock(place.folder, async () => {
        const ids = chooseRemovals(await place.known(), retention, now);
        return removeSets(place.folder, only ? ids.filter((id) => only.includes(id)) : ids, now);
      });
    },
  };
}

function asListed(set: BackupSet, proven: Proof | null): ListedSet {
  const { id, environment, createdAt, parts } = set;
  const bytes = Object.values(parts).reduce((total, part) => total + bytesOf(part), 0);
  return { id, environment, createdAt, bytes, systems: Object.keys(parts), proven };
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
