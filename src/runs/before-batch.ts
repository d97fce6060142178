import type { PlanStep } from '../plans/plan.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { System } from '../systems/system.ts';
import type { Execution } from './execution.ts';
import { readIntrusions } from './intrusions.ts';
import { readStrain, restAfter, usualPacing } from './throttle.ts';

/** Why a run does not go on with its next batch. */
export type Halt =
  | { readonly paused: string }
  /** Somebody stopped it. */
  | { readonly failed: FailureReport }
  /** The run is no longer this execution's: nothing more is written, not even that. */
  | { readonly gone: true };

/** Lengths of a rest after which it is looked whether somebody asked for something. */
const restSlice = 1_000;

/**
 * What is looked at before each batch, within its durable step: what people asked, whether others write though they should
 * not, and how loaded the stores are. Waits while somebody does, or a store is above its limit. `lastMs` = how long the batch
 * before took.
 */
export async function beforeBatch(
  execution: Execution,
  step: PlanStep,
  lastMs: number,
): Promise<{ readonly halt: Halt | null; readonly pace: number }> {
  const { deps } = execution;
  const pacing = { ...usualPacing, ...deps.pacing };
  const since = deps.clock.now().getTime();
  const systems = touchedSystems(execution);
  for (;;) {
    const { halt, pace } = await readControl(execution);
    if (halt !== null) return { halt, pace };
    const intrusion = await readIntrusions(execution, step, pacing.loadEvery);
    if (intrusion !== null) {
      if (deps.clock.now().getTime() - since >= pacing.intrusionPatience) return { halt: intruded(intrusion), pace };
      await tellWait(execution, `waits: ${intrusion}`);
      await pacing.sleep(Math.min(pacing.lookEvery, restSlice));
      continue;
    }
    const { strain, why } = await readStrain(systems, pacing.loadEvery, deps.clock, deps.logger);
    if (strain <= 1) {
      await tellWait(execution, why === null ? execution.note : `goes slowly: ${why}`);
      return { halt: await rest(execution, restAfter(lastMs, pace, strain), pacing.sleep), pace };
    }
    if (deps.clock.now().getTime() - since >= pacing.patience) {
      return { halt: { paused: `it waited ${Math.round(pacing.patience / 60_000)} minutes: ${why}` }, pace };
    }
    await tellWait(execution, `waits: ${why}`);
    await pacing.sleep(pacing.lookEvery);
  }
}

/** What people asked of this attempt. What is carried out after a failure is not stopped any more. */
export async function readControl(execution: Execution): Promise<{ halt: Halt | null; pace: number }> {
  const { deps, run } = execution;
  const { mine, asked, pace } = await deps.records.readControl(run.id, run.attempt);
  if (!mine) return { halt: { gone: true }, pace };
  if (asked === null || execution.clearsUp) return { halt: null, pace };
  if (asked.what === 'pause') return { halt: { paused: `${asked.by} asked for it` }, pace };
  return { halt: { failed: stoppedBy(asked.by) }, pace };
}

/** What a parked run says that somebody stopped. */
export function stoppedBy(name: string): FailureReport {
  return {
    code: 'cancelled',
    message: `${name} stopped it.`,
    advice: 'What was written is complete and journaled. Retry goes on from there; or undo it, or keep it as it is.',
    retryable: true,
  };
}

function intruded(intrusion: string): Halt {
  return {
    paused: `${intrusion}. Nothing was written since that was seen. Stop what writes, then resume; or stop the run and undo it`,
  };
}

async function rest(
  execution: Execution,
  milliseconds: number,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<Halt | null> {
  for (let left = milliseconds; left > 0; left -= restSlice) {
    await sleep(Math.min(left, restSlice));
    if (left <= restSlice) break;
    const { halt } = await readControl(execution);
    if (halt !== null) return halt;
  }
  return null;
}

async function tellWait(execution: Execution, why: string | null): Promise<void> {
  if (execution.waits === why) return;
  execution.waits = why;
  await execution.deps.records.tellWait(execution.run.id, why);
}

/** Every store that the plan names: a step reads others than its own. */
function touchedSystems({ run, environment }: Execution): readonly System[] {
  const names = new Set(run.plan.stages.flatMap((stage) => stage.steps.map((step) => step.system)));
  return [...environment.systems.values()].filter((system) => names.has(system.name) && system.load);
}
