import { z } from 'zod';
import { sayBytes } from '../shared/bytes-text.ts';
import type { Clock } from '../shared/clock.ts';
import { digestOf } from '../shared/json.ts';
import type { Finding } from '../systems/finding.ts';
import { defineStepKind, readingPreview, type StepKind } from '../systems/system.ts';
import type { BackupFolder, RemovableSet } from './backup-folder.ts';
import type { Retention } from './retention.ts';

interface Deps {
  readonly environment: string;
  readonly folder: BackupFolder;
  /** What is kept as things are now; null = there is no rule. */
  readonly rule: () => Promise<Retention | null>;
  readonly clock: Clock;
}

const shown = 20;

/**
 * Removes backup sets: those that were signed, as far as the rule still does not keep them. What goes is gone, so the plan
 * is bound to just these.
 */
export function createRemoveKind(deps: Deps): StepKind {
  return defineStepKind({
    name: 'backup.remove-sets',
    effect: 'destroys',
    input: z.strictObject({ setIds: z.array(z.string()) }),
    describe: ({ setIds }) => `remove ${setIds.length} backup sets`,
    async preview({ setIds }) {
      const going = (await removable(deps)).filter(({ id }) => setIds.includes(id));
      return {
        ...readingPreview,
        count: going.length,
        keysHash: digestOf(going.map(({ id }) => id).sort()),
        undoClass: 'one-way',
        findings: going.length === 0 ? [] : [await sayGoing(deps, going)],
      };
    },
    async performBatch({ setIds }) {
      const rule = await deps.rule();
      if (rule === null) return { cursor: null, done: 0 };
      const { sets } = await deps.folder.removeOlder(deps.environment, rule, deps.clock.now(), setIds);
      return { cursor: null, done: sets.length };
    },
  });
}

/** Sets that the rule does not keep now. */
async function removable({ folder, environment, rule, clock }: Deps): Promise<readonly RemovableSet[]> {
  const now = await rule();
  return now === null ? [] : folder.removable(environment, now, clock.now());
}

async function sayGoing({ folder, environment }: Deps, going: readonly RemovableSet[]): Promise<Finding> {
  const bytes = going.reduce((sum, set) => sum + set.bytes, 0);
  const ids = new Set(going.map(({ id }) => id));
  const stay = (await folder.listSets(environment)).filter(({ id }) => !ids.has(id));
  const proven = stay.find((set) => set.proven !== null);
  return {
    check: 'sets-that-go',
    title: `${going.length} backup sets go for good, ${sayBytes(bytes)} at least; ${stay.length} stay`,
    status: 'warning',
    count: going.length,
    samples: going.slice(0, shown).map(({ id, takenAt, bytes: own }) => {
      return `${id} of ${takenAt.toISOString().slice(0, 10)}, ${sayBytes(own)}`;
    }),
    advice: proven
      ? `the last proven set ${proven.id} stays, and so does every set that a run may need`
      : 'none of those that stay has been proven: `/tas backup prove` tries the newest',
  };
}
