import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { digestOf } from '../shared/json.ts';
import { defineStepKind, readingPreview, type StepContext, type StepKind, type System } from '../systems/system.ts';
import type { BackupFolder } from './backup-folder.ts';

interface Deps {
  readonly environment: string;
  readonly systems: ReadonlyMap<string, System>;
  readonly folder: BackupFolder;
  readonly clock: Clock;
  /** Version of the engine, recorded in the manifest. */
  readonly engine: string;
}

const partInput = z.strictObject({ setId: z.string(), system: z.string() });

/** The step kinds of backup sets: they span systems, so that each system only knows how to make its own part. */
export function createBackupKinds(deps: Deps): readonly StepKind[] {
  return [takePart(deps), sealSet(deps), restorePart(deps)];
}

function takePart(deps: Deps): StepKind {
  return defineStepKind({
    name: 'backup.take-part',
    effect: 'reads',
    input: partInput,
    describe: ({ system, setId }) => `back up ${system} into ${setId}`,
    // Nothing is counted: counting every record would read the store a second time before each backup.
    preview: async ({ system }) => {
      find(deps, system);
      return readingPreview;
    },
    async performBatch({ setId, system }, _batch, { signal }) {
      const part = await deps.folder.takePart({ ...target(deps, setId, system), signal, progress: () => undefined });
      return { cursor: null, done: total(part.fingerprint.counts) };
    },
  });
}

function sealSet(deps: Deps): StepKind {
  return defineStepKind({
    name: 'backup.seal-set',
    effect: 'reads',
    input: z.strictObject({ setId: z.string(), systems: z.array(z.string()).min(1) }),
    describe: ({ setId }) => `sign ${setId}`,
    preview: async ({ systems }) => ({ ...readingPreview, count: systems.length }),
    async performBatch({ setId, systems }) {
      await deps.folder.sealSet(deps.environment, setId, systems, deps.clock.now(), deps.engine);
      return { cursor: null, done: systems.length };
    },
  });
}

function restorePart(deps: Deps): StepKind {
  return defineStepKind({
    name: 'backup.restore-part',
    effect: 'destroys',
    input: partInput,
    describe: ({ system, setId }) => `replace what ${system} holds with ${setId}`,
    async preview({ setId, system }) {
      const set = await deps.folder.readSet(deps.environment, setId);
      const part = set.parts[system];
      const found = find(deps, system);
      const now = await found.fingerprint?.();
      return {
        ...readingPreview,
        count: now === undefined ? 0 : total(now.counts),
        // Everything that is there is replaced: writes since the set are what is destroyed, so any write voids the vote.
        keysHash: digestOf({ now: now?.hash ?? '', set: part?.fingerprint.hash ?? '' }),
        undoClass: 'one-way',
        locks: [`${system} holds nothing, or two states, while it is being replaced: no service may use it`],
        bytes: part?.files.reduce((bytes, file) => bytes + file.bytes, 0) ?? 0,
        findings: await deps.folder.previewRestore({ environment: deps.environment, setId, system: found }),
      };
    },
    async performBatch({ setId, system }, _batch, { signal, fence }: StepContext) {
      const fingerprint = await deps.folder.restorePart({
        ...target(deps, setId, system),
        signal,
        progress: () => undefined,
      });
      // The store's fence went back with its data: before anything else, older tokens are refused again.
      await find(deps, system).advanceFence?.(fence);
      return { cursor: null, done: total(fingerprint.counts) };
    },
  });
}

function target(deps: Deps, setId: string, system: string): { environment: string; setId: string; system: System } {
  return { environment: deps.environment, setId, system: find(deps, system) };
}

function find(deps: Deps, name: string): System {
  const system = deps.systems.get(name);
  if (system) return system;
  throw new Failure({
    code: 'invalid-file',
    message: `The environment has no system ${name}.`,
    advice: `It has: ${[...deps.systems.keys()].join(', ')}. Nothing was changed.`,
  });
}

function total(counts: { readonly [collection: string]: number }): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
