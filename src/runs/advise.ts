import type { BackupSet } from '../backups/backup-set.ts';
import type { Environment } from '../plans/environment.ts';
import type { Plan, PlanStep } from '../plans/plan.ts';
import { holdEnd, stepsWithAside } from '../plans/plan-release.ts';
import { collectHolds, type Holds } from '../plans/plan-rollback.ts';
import { Failure } from '../shared/failure.ts';
import type { Kept } from '../systems/kept-tally.ts';
import type { Advice, ClosedWay, HeldReference, UndoneSystem, UndoWay } from './advice.ts';
import type { BackupView, Person, Refusal } from './door.ts';
import { mayRead } from './gates.ts';
import { findUndoable, type MakePlan } from './make-plan.ts';
import { performedRun } from './performed-run.ts';
import { recommend } from './recommend.ts';
import { readContents, weighRestores } from './restore-ways.ts';
import type { Run } from './run.ts';
import type { RunRecords } from './run-records.ts';
import { findEnvironment, refusalOf } from './submit.ts';

export interface AdviseDeps {
  readonly environments: ReadonlyMap<string, Environment>;
  readonly records: RunRecords;
  readonly makePlan: MakePlan;
  readonly listBackups: (environment: string) => Promise<readonly BackupView[]>;
  readonly readBackup: (environment: string, setId: string) => Promise<BackupSet>;
}

/** Looks at each way back from a run. Reads stores and sets, writes nothing. */
export async function advise(deps: AdviseDeps, runId: string, person: Person): Promise<Advice | Refusal> {
  const right = mayRead(person);
  if (!right.pass) return refusalOf(right);
  const found = await deps.records.find(runId);
  const environment = findEnvironment(deps.environments, found?.environment ?? '');
  const run = await findUndoable(deps.records, environment, runId);
  const holds = collectHolds(environment, performedRun(run));
  const [plan, contents, references] = await Promise.all([
    planOrReason(deps, environment, run, holds),
    readContents(environment, run),
    sayReferences(environment, holds),
  ]);
  const undo = 'open' in plan ? plan : undoWay(environment, run, plan);
  const restores = await weighRestores(deps, environment, run, undo, contents);
  return { run, undo, restores, references, recommended: recommend({ undo, restores }) };
}

async function planOrReason(
  deps: AdviseDeps,
  environment: Environment,
  run: Run,
  holds: Promise<Holds>,
): Promise<Plan | ClosedWay> {
  try {
    return await deps.makePlan(environment, { action: 'rollback', subject: run.id }, '', holds);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A store that does not answer, or a file that is broken, closes no way: it has to be mended first.
    if (error.code !== 'precondition-failed' && error.code !== 'conflict') throw error;
    return { open: false, code: error.code, message: error.message, advice: error.advice };
  }
}

function undoWay(environment: Environment, run: Run, plan: Plan): UndoWay {
  // The record of the data-model version goes back as well; it is no user's data.
  const steps = plan.stages
    .flatMap((stage) => stage.steps)
    .filter((step) => step.mode === 'undo' && step.system !== null);
  const names = [...new Set(steps.map((step) => step.system as string))];
  const systems = names.map((system) =>
    undoneSystem(
      system,
      steps.filter((step) => step.system === system),
    ),
  );
  const aside = stepsWithAside(environment, performedRun(run)).length > 0 && run.endedAt !== null;
  return {
    open: true,
    estimate: plan.estimate ?? null,
    systems,
    restored: sum(systems.map(({ restored }) => restored)),
    kept: sum(systems.map(({ kept }) => keptOf(kept))),
    heldUntil: aside ? holdEnd(run.endedAt ?? '', environment.holdDays) : null,
  };
}

function undoneSystem(system: string, steps: readonly PlanStep[]): UndoneSystem {
  const counts: { -readonly [reason in keyof Kept['counts']]: number } = {};
  for (const step of steps) {
    for (const [reason, count] of Object.entries(step.kept?.counts ?? {}) as [keyof Kept['counts'], number][]) {
      counts[reason] = (counts[reason] ?? 0) + count;
    }
  }
  return {
    system,
    restored: sum(steps.map((step) => step.count)),
    exact: steps.every((step) => step.exact),
    kept: { counts, samples: steps.flatMap((step) => step.kept?.samples ?? []).slice(0, 5) },
    keptKnown: steps.every((step) => step.kept !== undefined),
    samples: steps.flatMap((step) => step.samples).slice(0, 5),
  };
}

async function sayReferences(environment: Environment, holds: Promise<Holds>): Promise<HeldReference[]> {
  return [...(await holds).values()].map(({ field, values }) => {
    const shown = environment.shown.has(`${field.collection}.${field.field}`);
    return { field, count: values.size, samples: [...values].slice(0, 5).map((value) => (shown ? value : '•••')) };
  });
}

export function keptOf(kept: Kept): number {
  return sum(Object.values(kept.counts));
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
