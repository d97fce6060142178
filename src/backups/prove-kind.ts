import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import { defineStepKind, readingPreview, type StepKind, type System } from '../systems/system.ts';
import type { BackupFolder } from './backup-folder.ts';
import type { TrialDepth } from './proof.ts';
import type { LookAtScratch, TriedPart } from './stored-part.ts';

interface Deps {
  readonly environment: string;
  readonly systems: ReadonlyMap<string, System>;
  readonly folder: BackupFolder;
  readonly clock: Clock;
  /** The checks of a system, over what was restored of it. */
  readonly look: LookAtScratch;
}

/**
 * Tries a set, system by system, beside what is live, and notes the proof. What it finds are findings, whatever is wrong
 * with the set; after a crash all of it is tried again.
 */
export function createProveKind(deps: Deps): StepKind {
  return defineStepKind({
    name: 'backup.prove-set',
    effect: 'reads',
    input: z.strictObject({ setId: z.string() }),
    describe: ({ setId }) => `try ${setId} beside the live data`,
    preview: async ({ setId }) => ({ ...readingPreview, count: (await namesIn(deps, setId)).length }),
    performBatch: async ({ setId }) => ({ cursor: null, done: (await namesIn(deps, setId)).length }),
    async verify({ setId }, { signal }) {
      try {
        return await deps.folder.whileTrying(deps.environment, () => prove(deps, setId, signal));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return [unproven(setId, error)];
      }
    },
  });
}

async function namesIn({ folder, environment }: Deps, setId: string): Promise<string[]> {
  return Object.keys((await folder.readSet(environment, setId)).parts);
}

async function prove(deps: Deps, setId: string, signal: AbortSignal): Promise<readonly Finding[]> {
  const { folder, environment, clock } = deps;
  const begun = performance.now();
  const findings: Finding[] = [];
  const systems: Record<string, TrialDepth> = {};
  let spoilt = false;
  for (const name of await namesIn(deps, setId)) {
    const tried = await tryOne(deps, setId, name, signal);
    if ('failed' in tried) findings.push(unproven(name, tried.failed));
    else findings.push(...provenBy(name, tried));
    if (!('failed' in tried)) systems[name] = tried.depth;
    spoilt ||= 'failed' in tried ? tried.failed.code === 'corrupt-backup' : tried.findings.some(isFailed);
  }
  if (!findings.some(isFailed)) {
    const seconds = Math.round((performance.now() - begun) / 10) / 100;
    await folder.markProven(environment, setId, { at: clock.now().toISOString(), seconds, systems });
  } else if (spoilt) {
    // What was proven once is no more; a store that was away today says nothing of the set.
    await folder.markProven(environment, setId, null);
  }
  return findings;
}

async function tryOne(
  { folder, environment, systems, look }: Deps,
  setId: string,
  name: string,
  signal: AbortSignal,
): Promise<TriedPart | { readonly failed: Failure }> {
  try {
    return await folder.tryPart({ environment, setId, name, system: systems.get(name) ?? null, signal }, look);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { failed: error };
  }
}

const words: Readonly<Record<TrialDepth, string>> = {
  restored: 'restored beside the live data, the same as when it was backed up',
  read: 'read back whole, the same as when it was backed up; it was not restored',
  checksums: 'every file read again, none has changed; it cannot be restored beside the live data',
};

function provenBy(name: string, { depth, fingerprint, findings }: TriedPart): Finding[] {
  const count = Object.values(fingerprint.counts).reduce((sum, records) => sum + records, 0);
  const own: Finding = {
    check: `drill-${name}`,
    title: `${name}: ${words[depth]}`,
    status: 'passed',
    count,
    samples: [],
  };
  return [own, ...findings];
}

function unproven(name: string, { message, advice }: Failure): Finding {
  const title = `${name}: ${message}`;
  return { check: `drill-${name}`, title, status: 'failed', count: 1, samples: [], advice };
}

function isFailed({ status }: Finding): boolean {
  return status === 'failed';
}
