import { checkHealthKind } from '../checks/health-kind.ts';
import { Failure } from '../shared/failure.ts';
import { type FieldRef, readingPreview, type UndoContext } from '../systems/system.ts';
import { assemblePlan, type PlanFrame, type PlannedStage, planStage, stageOf } from './build-plan.ts';
import { type Environment, findKind } from './environment.ts';
import { changedSteps, findHolds, type PerformedRun, undoScope } from './find-holds.ts';
import type { Plan, PlanStep, TakenConflict } from './plan.ts';
import { healthStep } from './plan-actions.ts';
import { type PlannedStep, parseInput, plannedStep, planUndoStep } from './plan-step.ts';
import { forceOf, isHeldBack } from './take-conflicts.ts';

/**
 * The undo of a run as an ordinary plan: what it wrote, newest step first, across systems. `known` = its holds, where they
 * have just been looked for.
 */
export async function planRollback(environment: Environment, run: PerformedRun, known?: Promise<Holds>): Promise<Plan> {
  const steps = stepsToUndo(run);
  const holds = await (known ?? collectHolds(environment, run));
  const undo = { coupled: run.plan.coupled, held: heldBy(holds) };
  const stages: PlannedStage[] = [
    referencesStage(environment, run, holds),
    await undoStage(environment, run, steps, () => undo),
    ...(await healthStage(environment, run)),
  ];
  return assemblePlan(environment, frameOf(run, `Undo ${run.plan.title} (${run.id})`), stages);
}

/** Where the run looked at health between its phases, its undo looks at it in the end. */
async function healthStage(environment: Environment, run: PerformedRun): Promise<PlannedStage[]> {
  const looks = run.plan.stages.flatMap((stage) => stage.steps).filter((step) => step.use === checkHealthKind);
  if (looks.length === 0) return [];
  const systems = new Set(changedSteps(run).flatMap(({ system }) => system ?? []));
  const step = healthStep([...environment.systems.keys()].filter((name) => systems.has(name)));
  return [await planStage(environment, { id: 'health', title: 'See that everything is up', steps: [step] })];
}

/**
 * The undo of single conflicts that an earlier undo kept: these fields and no others, whatever stands there now. Throws
 * `precondition-failed` where it would restore nothing.
 */
export async function planTakes(
  environment: Environment,
  run: PerformedRun,
  takes: readonly TakenConflict[],
): Promise<Plan> {
  const all = stepsToUndo(run);
  const writers = new Set(takes.flatMap((take) => writersOf(environment, all, take)));
  const steps = all.filter((step) => writers.has(step));
  const holds: Holds | null = steps.some(isHeldBack) ? await collectHolds(environment, run) : null;
  const stage = await undoStage(environment, run, steps, (step) => ({
    coupled: run.plan.coupled,
    held: holds !== null && isHeldBack(step) ? heldBy(holds) : async () => new Set<string>(),
    ...forceOf(takes, step.system),
  }));
  if (stage.stage.steps.every((step) => step.count === 0)) throw nothingTaken(run.id, stage);
  const title = `Take ${takes.length} ${takes.length === 1 ? 'conflict' : 'conflicts'} of ${run.plan.title} (${run.id})`;
  const before = holds === null ? [] : [referencesStage(environment, run, holds)];
  return assemblePlan(environment, { ...frameOf(run, title), takes }, [...before, stage]);
}

/** By field. */
export type Holds = ReadonlyMap<string, { readonly field: FieldRef; readonly values: ReadonlySet<string> }>;

const heldBy =
  (holds: Holds): UndoContext['held'] =>
  async (field, values) =>
    new Set(values.filter((value) => holds.get(holdKey(field))?.values.has(value)));

/** Values that the run wrote and that newer records refer to, by field. */
export async function collectHolds(environment: Environment, run: PerformedRun): Promise<Holds> {
  const holds = new Map<string, { field: FieldRef; values: Set<string> }>();
  await findHolds(environment.systems, undoScope(run), async (field, values) => {
    const known = holds.get(holdKey(field)) ?? { field, values: new Set<string>() };
    for (const value of values) known.values.add(value);
    holds.set(holdKey(field), known);
  });
  return holds;
}

function frameOf(run: PerformedRun, title: string): PlanFrame {
  return {
    action: 'rollback',
    subject: run.id,
    title,
    contentHash: run.plan.contentHash,
    references: run.plan.references,
    coupled: run.plan.coupled,
    findings: [],
  };
}

async function undoStage(
  environment: Environment,
  run: PerformedRun,
  steps: readonly PlanStep[],
  undoOf: (step: PlanStep) => Pick<UndoContext, 'held' | 'coupled' | 'force'>,
): Promise<PlannedStage> {
  const planned: PlannedStep[] = [];
  for (const step of steps) {
    const request = {
      id: undoStepId(step),
      title: `Undo: ${step.title.replace(/^Undo: /, '')}`,
      system: step.system,
      use: step.use,
      input: step.input,
    };
    const undoes = { runId: run.id, stepId: step.id };
    planned.push(await planUndoStep(environment, request, { ...undoOf(step), undoes }));
  }
  return stageOf({ id: 'undo', title: 'Undo, newest step first' }, planned);
}

/**
 * Steps that wrote the taken field; where none says so, those that cannot say what they write. Throws
 * `precondition-failed` where their undo takes no single ones.
 */
function writersOf(environment: Environment, steps: readonly PlanStep[], take: TakenConflict): PlanStep[] {
  const here = steps.filter((step) => step.system === take.system);
  const fields = new Map(here.map((step) => [step, writtenBy(environment, step)]));
  const named = here.filter((step) =>
    fields.get(step)?.some(({ collection, field }) => collection === take.collection && field === take.field),
  );
  if (named.length > 0) return named.map((step) => needForcing(environment, step));
  const silent = here.filter((step) => fields.get(step) === null);
  const open = silent.filter((step) => findKind(environment, step.system, step.use).undoForces);
  return open.length > 0 ? open : silent.slice(0, 1).map((step) => needForcing(environment, step));
}

function writtenBy(environment: Environment, step: PlanStep): readonly Omit<FieldRef, 'system'>[] | null {
  const kind = findKind(environment, step.system, step.use);
  return kind.writes?.(parseInput(kind, step)) ?? null;
}

function needForcing(environment: Environment, step: PlanStep): PlanStep {
  if (findKind(environment, step.system, step.use).undoForces) return step;
  throw new Failure({
    code: 'precondition-failed',
    message: `“${step.title}” (${step.use}) cannot restore single conflicts.`,
    advice: 'Correct the record in the store itself, or restore a backup set. Nothing was changed.',
  });
}

/** Why nothing would be restored: what the stores keep all the same, else that there is no such thing. */
function nothingTaken(runId: string, { stage }: PlannedStage): Failure {
  const kept = stage.steps.flatMap((step) => step.kept?.samples ?? []);
  const why =
    kept.length > 0
      ? `these stay all the same: ${kept.join('; ')}`
      : 'it wrote no such field of such a record, the record is gone, or it stands there as before';
  return new Failure({
    code: 'precondition-failed',
    message: `No such conflict of ${runId} can be restored: ${why}.`,
    advice:
      "`/tas runs` with the rollback's id lists its conflicts. A record that the run made is named by its key field; coupled fields are taken together. Nothing was changed.",
  });
}

const holdKey = (field: FieldRef): string => `${field.system}:${field.collection}.${field.field}`;

/** `data.fill-users` → `undo.data-fill-users`; the undo of that → `undo.data-fill-users` again, in a run of its own. */
function undoStepId(step: PlanStep): string {
  return step.id.startsWith('undo.') ? step.id : `undo.${step.id.replaceAll('.', '-')}`;
}

function stepsToUndo(run: PerformedRun): PlanStep[] {
  const wrote = changedSteps(run).reverse();
  const oneWay = wrote.find((step) => step.undoClass === 'one-way');
  if (oneWay) {
    throw new Failure({
      code: 'precondition-failed',
      message: `${run.id} cannot be undone: “${oneWay.title}” is one-way.`,
      advice: 'Restore the backup set that was taken before it (`/tas status` names it). Nothing was changed.',
    });
  }
  if (wrote.length > 0) return wrote;
  throw new Failure({
    code: 'precondition-failed',
    message: `${run.id} changed nothing, so there is nothing to undo.`,
    advice: 'Look at `/tas runs` for the run you mean.',
  });
}

/** It will look for them again when it is carried out; what it would find now is known. */
function referencesStage(environment: Environment, run: PerformedRun, holds: Holds): PlannedStage {
  const request = {
    id: 'references.find',
    title: 'Find what newer records refer to',
    system: null,
    use: 'undo.find-references',
    input: { runId: run.id },
  };
  const count = [...holds.values()].reduce((sum, { values }) => sum + values.size, 0);
  const step = plannedStep(environment, request, { ...readingPreview, count });
  return stageOf({ id: 'references', title: 'Look for newer records' }, [step]);
}
