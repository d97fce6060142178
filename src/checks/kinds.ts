import { z } from 'zod';
import { Failure } from '../shared/failure.ts';
import { digestOf } from '../shared/json.ts';
import { defineStepKind, readingPreview, type StepKind, type System } from '../systems/system.ts';
import type { Check } from './check.ts';
import { createHealthKind } from './health-kind.ts';
import { runCheck } from './run-check.ts';

interface Deps {
  readonly systems: ReadonlyMap<string, System>;
  readonly checks: () => Promise<ReadonlyMap<string, Check>>;
}

/** The step kinds that carry out checks. Findings come from `verify`, so that every kind reports in one way. */
export function createCheckKinds(deps: Deps): readonly StepKind[] {
  return [
    createHealthKind(deps.systems),
    defineStepKind({
      name: 'checks.run',
      effect: 'reads',
      input: z.strictObject({ checks: z.array(z.string()) }),
      describe: (input) => `run ${input.checks.length} checks`,
      async preview(input) {
        await find(deps, input.checks);
        return {
          ...readingPreview,
          count: input.checks.length,
          schemaHash: digestOf(input.checks),
        };
      },
      performBatch: async (input) => ({ cursor: null, done: input.checks.length }),
      async verify(input) {
        const findings = [];
        for (const check of await find(deps, input.checks)) findings.push(await runCheck(check, deps.systems));
        return findings;
      },
    }),
  ];
}

async function find(deps: Deps, ids: readonly string[]): Promise<Check[]> {
  const known = await deps.checks();
  return ids.map((id) => {
    const check = known.get(id);
    if (check) return check;
    throw new Failure({
      code: 'invalid-file',
      message: `There is no check with the id ${id}.`,
      advice: `Known are: ${[...known.keys()].join(', ')}. Nothing was changed.`,
    });
  });
}
