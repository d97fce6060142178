import { Failure } from '../shared/failure.ts';
import type { FieldRef, UndoContext } from '../systems/system.ts';
import { assemblePlan, type PlanFrame, type PlannedStage, stageOf } from './build-plan.ts';
import { type Environment, findKind } from './environment.ts';
import { changedSteps, findHolds, type PerformedRun, type UndoScope, undoScope } from './find-holds.ts';
import type { Plan, PlanStep, TakenConflict } from './plan.ts';
import { type PlannedStep, parseInput, planStep, planUndoStep } from './plan-step.ts';
import { forceOf } from './take-conflicts.ts';

/** The undo of a run as an ordinary plan: what it wrote, newest step first, across systems. */
export async function planRollback(environment: Environment, run: PerformedRun): Promise<Plan> {
  const steps = stepsToUndo(run);
  const holds = await collectHolds(environment, run);
  const undo = {
    coupled: run.plan.coupled,
    held: async (field: FieldRef, values: readonly string[]) =>
      new Set(values.filter((value) => holds.get(holdKey(field))?.values.has(value))),
  };
  const stages: PlannedStage[] = [
    await referencesStage(environment, undoScope(run)),
    await undoStage(environment, run, steps, () => undo),
  ];
  return assemblePlan(environment, frameOf(run, `Undo ${run.plan.title} (${run.id})`), stages);
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
  const steps = stepsToUndo(run).filter((step) => takes.some((take) => mayWrite(environment, step, take)));
  const undo = { coupled: [], held: async () => new Set<string>() };
  const stage = await undoStage(environment, run, steps, (step) => ({ ...undo, ...forceOf(takes, step.system) }));
  if (stage.stage.steps.every((step) => step.count === 0)) throw nothingTaken(run.id);
  const title = `Take ${takes.length} ${takes.length === 1 ? 'conflict' : 'conflicts'} of ${run.plan.title} (${run.id})`;
  return assemblePlan(environment, { ...frameOf(run, title), coupled: [], takes }, [stage]);
}

/** Values that the run wrote and that newer records refer to, by field. */
export async function collectHolds(
  environment: Environment,
  run: PerformedRun,
): Promise<ReadonlyMap<string, { readonly field: FieldRef; readonly values: ReadonlySet<string> }>> {
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

/** Whether a step may have written the taken field. Throws `precondition-failed` where its undo takes no single ones. */
function mayWrite(environment: Environment, step: PlanStep, take: TakenConflict): boolean {
  if (step.system !== take.system) return false;
  const kind = findKind(environment, step.system, step.use);
  const fields = kind.writes?.(parseInput(kind, step)) ?? null;
  const here = fields?.filter(({ collection }) => collection === take.collection) ?? null;
  if (here !== null && !here.some(({ field }) => field === take.field)) return false;
  if (kind.undoForces) return true;
  throw new Failure({
    code: 'precondition-failed',
    message: `“${step.title}” (${step.use}) cannot restore single conflicts.`,
    advice: 'Correct the record in the store itself, or restore a backup set. Nothing was changed.',
  });
}

function nothingTaken(runId: string): Failure {
  return new Failure({
    code: 'precondition-failed',
    message: `No such conflict of ${runId} can be restored: it wrote no such field of such a record, or the record is gone.`,
    advice: `\`/tas runs\` with the rollback's id lists its conflicts. Nothing was changed.`,
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

async function referencesStage(environment: Environment, scope: UndoScope): Promise<PlannedStage> {
  findKind(environment, null, 'undo.find-references');
  const step = await planStep(environment, {
    id: 'references.find',
    title: 'Find what newer records refer to',
    system: null,
    use: 'undo.find-references',
    input: { runId: scope.runId },
  });
  return stageOf({ id: 'references', title: 'Look for newer records' }, [step]);
}
