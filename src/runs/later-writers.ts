import { type Environment, findKind } from '../plans/environment.ts';
import { changedSteps } from '../plans/find-holds.ts';
import { parseInput } from '../plans/plan-step.ts';
import { performedRun } from './performed-run.ts';
import type { Run } from './run.ts';
import type { RunRecords } from './run-records.ts';

/** Most runs that are looked at; an environment with more changing runs since then is not undone this far back. */
const lookBack = 500;

/** Runs after this one, newest first, that wrote a field it wrote and were not undone. Their undo comes first. */
export async function findLaterWriters(records: RunRecords, environment: Environment, run: Run): Promise<string[]> {
  const mine = writtenFields(environment, run);
  const runs = await records.list({
    environment: environment.name,
    statuses: ['done', 'paused', 'parked', 'closed'],
    limit: lookBack,
  });
  return runs
    .filter((other) => other.id !== run.id && other.undoneBy === null)
    .filter((other) => (other.startedAt ?? '') > (run.startedAt ?? ''))
    .filter((other) => [...writtenFields(environment, other)].some((field) => mine.has(field)))
    .map((other) => other.id);
}

function writtenFields(environment: Environment, run: Run): Set<string> {
  const fields = new Set<string>();
  for (const step of changedSteps(performedRun(run))) {
    if (step.system === null) continue;
    const kind = findKind(environment, step.system, step.use);
    for (const { collection, field } of kind.writes?.(parseInput(kind, step)) ?? []) {
      fields.add(`${step.system}:${collection}.${field}`);
    }
  }
  return fields;
}
