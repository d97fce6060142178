import type { Reference } from '../migrations/migration.ts';
import type { Finding } from '../systems/finding.ts';
import type { Effect, FieldRef, UndoClass } from '../systems/system.ts';
import type { Environment } from './environment.ts';
import { estimateStep, sumEstimates } from './estimate.ts';
import type { Action, MaintenanceWish, Plan, PlanAbout, PlanStage, PlanStep, TakenConflict } from './plan.ts';
import { type PlannedStep, planStep, type StepRequest } from './plan-step.ts';

/** Version of the engine's way to carry a plan out; part of what people sign. */
export const engineVersion = 'tas-engine-2';

export interface StageRequest {
  readonly id: string;
  readonly title: string;
  readonly steps: readonly StepRequest[];
}

export interface PlannedStage {
  readonly stage: PlanStage;
  readonly findings: readonly Finding[];
}

export interface PlanFrame {
  readonly action: Action;
  readonly subject: string;
  readonly title: string;
  readonly contentHash: string;
  readonly references: readonly Reference[];
  readonly coupled: readonly (readonly FieldRef[])[];
  readonly findings: readonly Finding[];
  /** Of a migration. */
  readonly about?: PlanAbout;
  readonly canary?: string | null;
  readonly takes?: readonly TakenConflict[];
  readonly undoAfterMinutes?: number;
  readonly maintenance?: MaintenanceWish;
  /** Slack ids of those who wrote what it does. */
  readonly alsoAskedBy?: readonly string[];
}

/** Looks at the steps of a stage one after the other: stores are read by one query at a time. */
export async function planStage(environment: Environment, request: StageRequest): Promise<PlannedStage> {
  const planned: PlannedStep[] = [];
  for (const step of request.steps)
    planned.push(await planStep(environment, { ...step, id: `${request.id}.${step.id}` }));
  return stageOf(request, planned);
}

export function stageOf(request: Pick<StageRequest, 'id' | 'title'>, planned: readonly PlannedStep[]): PlannedStage {
  return {
    stage: { id: request.id, title: request.title, always: false, steps: planned.map(({ step }) => step) },
    findings: planned.flatMap(({ findings }) => findings),
  };
}

/** Puts a plan together and adds up what it does. */
export async function assemblePlan(
  environment: Environment,
  frame: PlanFrame,
  planned: readonly PlannedStage[],
): Promise<Plan> {
  const rates = (await environment.rates?.()) ?? [];
  const stages = planned.map(({ stage }) => ({
    ...stage,
    steps: stage.steps.map((step) => ({ ...step, estimate: estimateStep(step, rates, environment.name) })),
  }));
  const steps = stages.flatMap((stage) => stage.steps);
  const identities: Record<string, string> = {};
  for (const [name, system] of environment.systems) identities[name] = await system.identity();
  return {
    version: 1,
    engine: engineVersion,
    environment: environment.name,
    canary: null,
    ...frame,
    identities,
    configHash: environment.configHash,
    holdDays: environment.holdDays,
    stages,
    findings: [...frame.findings, ...planned.flatMap(({ findings }) => findings)],
    estimate: sumEstimates(steps.map((step) => step.estimate)),
    totals: { adds: total(steps, 'adds'), changes: total(steps, 'changes'), destroys: total(steps, 'destroys') },
    undoClass: weakest(steps.filter((step) => step.effect !== 'reads').map((step) => step.undoClass)),
  };
}

function total(steps: readonly PlanStep[], effect: Effect): number {
  return steps.filter((step) => step.effect === effect).reduce((sum, step) => sum + step.count, 0);
}

const strength: readonly UndoClass[] = ['reversible', 'reversible-until', 'one-way'];

function weakest(classes: readonly UndoClass[]): UndoClass {
  return strength[Math.max(0, ...classes.map((undoClass) => strength.indexOf(undoClass)))] ?? 'one-way';
}

/** The strongest effect of a plan: approval policy reads this and nothing else. */
export function effectOf(plan: Plan): Effect {
  const effects = new Set(plan.stages.flatMap((stage) => stage.steps.map((step) => step.effect)));
  return (['destroys', 'changes', 'adds'] as const).find((effect) => effects.has(effect)) ?? 'reads';
}
