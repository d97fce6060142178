import { Failure } from '../shared/failure.ts';
import type { FieldRef } from '../systems/system.ts';
import { assemblePlan, type PlannedStage, stageOf } from './build-plan.ts';
import { type Environment, findKind } from './environment.ts';
import { changedSteps, findHolds, type PerformedRun, type UndoScope, undoScope } from './find-holds.ts';
import type { Plan, PlanStep } from './plan.ts';
import { type PlannedStep, planStep, planUndoStep } from './plan-step.ts';

/** The undo of a run as an ordinary plan: what it wrote, newest step first, across systems. */
export async function planRollback(environment: Environment, run: PerformedRun): Promise<Plan> {
  const steps = stepsToUndo(run);
  const holds = new Map<string, Set<string>>();
  const scope = undoScope(run);
  await findHolds(environment.systems, scope, async (field, values) => {
    const key = holdKey(field);
    holds.set(key, new Set([...(holds.get(key) ?? []), ...values]));
  });
  const undo = {
    coupled: run.plan.coupled,
    held: async (field: FieldRef, values: readonly string[]) =>
      new Set(values.filter((value) => holds.get(holdKey(field))?.has(value))),
  };
  const planned: PlannedStep[] = [];
  for (const step of steps) {
    const request = {
      id: undoStepId(step),
      title: `Undo: ${step.title.replace(/^Undo: /, '')}`,
      system: step.system,
      use: step.use,
      input: step.input,
    };
    planned.push(await planUndoStep(environment, request, { ...undo, undoes: { runId: run.id, stepId: step.id } }));
  }
  const stages: PlannedStage[] = [
    await referencesStage(environment, scope),
    stageOf({ id: 'undo', title: 'Undo, newest step first' }, planned),
  ];
  return assemblePlan(
    environment,
    {
      action: 'rollback',
      subject: run.id,
      title: `Undo ${run.plan.title} (${run.id})`,
      contentHash: run.plan.contentHash,
      references: run.plan.references,
      coupled: run.plan.coupled,
      findings: [],
    },
    stages,
  );
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
