import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import { defineStepKind, readingPreview, type StepKind, type System } from '../systems/system.ts';
import { durationText, milliseconds, waitFor } from '../systems/wait-for.ts';

export const checkHealthKind = 'checks.health';

/** The step kind that stands between phases: it waits until systems are up, and says which are not. */
export function createHealthKind(systems: ReadonlyMap<string, System>): StepKind {
  return defineStepKind({
    name: checkHealthKind,
    effect: 'reads',
    input: z.strictObject({ systems: z.array(z.string()), within: durationText }),
    describe: (input) => `see that ${input.systems.join(', ')} are up`,
    preview: async (input) => ({ ...readingPreview, count: input.systems.length }),
    performBatch: (input, batch, { signal }) =>
      waitFor(batch, {
        withinMs: milliseconds(input.within),
        signal,
        look: () => findDown(systems, input.systems),
        tooLong: (down, waited) => stillDown(down, waited),
      }),
  });
}

/** Which are down and why, in words; null = none. */
async function findDown(systems: ReadonlyMap<string, System>, names: readonly string[]): Promise<string | null> {
  const states = await Promise.all(
    names.map(async (name) => {
      const health = await systems.get(name)?.checkHealth();
      if (health?.up) return null;
      return `${name} is down${health?.note ? ` (${health.note})` : ''}`;
    }),
  );
  const down = states.filter((state) => state !== null);
  return down.length === 0 ? null : down.join(', ');
}

function stillDown(down: string, waited: string): Failure {
  return new Failure({
    code: 'step-failed',
    message: `After ${waited}: ${down}.`,
    advice:
      'What was written so far is complete and journaled, and nothing of the next phase was begun. Bring it up and retry; or undo the run.',
    retryable: true,
  });
}
