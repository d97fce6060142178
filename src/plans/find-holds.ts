import type { Reference } from '../migrations/migration.ts';
import type { FieldRef, System } from '../systems/system.ts';
import type { Plan, PlanStep } from './plan.ts';

/** What an undo looks at: whose journal, and how the migration's fields refer to each other. */
export interface UndoScope {
  readonly runId: string;
  /** Steps that wrote something. */
  readonly steps: readonly { readonly stepId: string; readonly system: string }[];
  readonly references: readonly Reference[];
  readonly coupled: readonly (readonly FieldRef[])[];
}

/** A run that was carried out, wholly or in part. */
export interface PerformedRun {
  readonly id: string;
  readonly plan: Plan;
  /** Ids of the steps that wrote or may have written something. */
  readonly performed: ReadonlySet<string>;
}

/** Steps that wrote or may have written something, in the order of the plan. */
export function changedSteps(run: PerformedRun): PlanStep[] {
  const steps = run.plan.stages.flatMap((stage) => stage.steps);
  return steps.filter((step) => step.effect !== 'reads' && run.performed.has(step.id));
}

export function undoScope(run: PerformedRun): UndoScope {
  return {
    runId: run.id,
    steps: changedSteps(run).flatMap((step) =>
      step.system === null ? [] : [{ stepId: step.id, system: step.system }],
    ),
    references: run.plan.references,
    coupled: run.plan.coupled,
  };
}

export type SaveHolds = (field: FieldRef, values: readonly string[]) => Promise<void>;

const fieldKey = (field: FieldRef): string => `${field.system}:${field.collection}.${field.field}`;
const sameField = (a: FieldRef, b: FieldRef): boolean => fieldKey(a) === fieldKey(b);

/**
 * Finds the values that the run wrote and that records outside of it refer to since: undo keeps those, although nobody
 * edited them. A held value holds what it refers to itself, and the fields coupled with it, across systems. Values are
 * handed to `save` in batches as they are found; memory grows with what is held, not with what was written.
 */
export async function findHolds(
  systems: ReadonlyMap<string, System>,
  scope: UndoScope,
  save: SaveHolds,
): Promise<number> {
  const held = new Map<string, Set<string>>();
  let count = 0;
  const hold = async (field: FieldRef, values: readonly string[]): Promise<void> => {
    const known = held.get(fieldKey(field)) ?? new Set();
    held.set(fieldKey(field), known);
    const fresh = values.filter((value) => !known.has(value));
    if (fresh.length === 0) return;
    for (const value of fresh) known.add(value);
    count += fresh.length;
    await save(field, fresh);
    for (const reference of scope.references.filter(({ from }) => sameField(from, field)))
      await hold(reference.to, fresh);
    for (const other of coupledWith(scope, field)) await hold(other, await valuesBeside(systems, field, fresh, other));
  };
  // What was written to a field is read once, whoever refers to it.
  for (const group of Map.groupBy(scope.references, ({ to }) => fieldKey(to)).values()) {
    const [{ to }] = group as [Reference];
    for await (const values of writtenValues(systems, scope, to)) {
      const found = await Promise.all(group.map(({ from }) => foreignReferences(systems, scope.runId, from, values)));
      for (const each of found) await hold(to, [...each]);
    }
  }
  return count;
}

async function foreignReferences(
  systems: ReadonlyMap<string, System>,
  runId: string,
  { system, collection, field }: FieldRef,
  values: readonly string[],
): Promise<ReadonlySet<string>> {
  const journal = systems.get(system)?.journal;
  return (await journal?.foreignReferences(runId, collection, field, values)) ?? new Set();
}

async function* writtenValues(
  systems: ReadonlyMap<string, System>,
  scope: UndoScope,
  field: FieldRef,
): AsyncIterable<readonly string[]> {
  const journal = systems.get(field.system)?.journal;
  if (!journal) return;
  for (const step of scope.steps) {
    if (step.system === field.system) yield* journal.writtenValues(scope.runId, step.stepId, field.field);
  }
}

function coupledWith(scope: UndoScope, field: FieldRef): FieldRef[] {
  const groups = scope.coupled.filter((group) => group.some((member) => sameField(member, field)));
  return groups.flat().filter((member) => !sameField(member, field));
}

/** The coupled field's values in the records that hold these values now. */
async function valuesBeside(
  systems: ReadonlyMap<string, System>,
  field: FieldRef,
  values: readonly string[],
  other: FieldRef,
): Promise<string[]> {
  const system = systems.get(field.system);
  if (!system?.lookup || field.collection !== other.collection) return [];
  const rows = await system.lookup({ collection: field.collection, by: field.field, fields: [other.field] }, values);
  return [...rows.values()].map((row) => row[other.field]).filter((value) => typeof value === 'string');
}
