import type { ChecklistGates } from '../checklists/desk.ts';
import { type Environment, otherSystems } from '../plans/environment.ts';
import type { Plan } from '../plans/plan.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Fence, StepContext } from '../systems/system.ts';
import type { StepPoint } from './control-records.ts';
import type { RunRecords, StoredRun } from './run-records.ts';
import type { Pacing } from './throttle.ts';
import type { WindowNow } from './window-gate.ts';

/** Runs work once and remembers its result: after a crash the remembered result is answered without running it again. */
export interface Durable {
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export interface CarryOutDeps {
  readonly records: RunRecords;
  readonly environments: ReadonlyMap<string, Environment>;
  /** Makes the run's plan again, here and now. `standsStill` = its services have been stopped: without what stops them. */
  readonly replan: (run: StoredRun, standsStill: boolean) => Promise<Plan>;
  /** What is left to do in the bot's own records when a run is done. */
  readonly settle: (run: StoredRun) => Promise<void>;
  /** Where runs wait for items of their checklist; absent = nowhere. */
  readonly checklists?: ChecklistGates;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What has become of a window that a run is bound to; absent = as its plan says. */
  readonly windowNow?: (windowId: string) => Promise<WindowNow>;
  /** For tests that cannot wait. */
  readonly pacing?: Partial<Pacing>;
}

/** What the steps of one execution share. The fence's token is this execution's own, a recovery gets a greater one. */
export interface Execution {
  readonly deps: CarryOutDeps;
  readonly run: StoredRun;
  readonly environment: Environment;
  readonly durable: Durable;
  fence: Fence;
  /** How far earlier attempts came; null = not known, every step is walked from its beginning. */
  readonly points: ReadonlyMap<string, StepPoint> | null;
  /** A step has failed: what is carried out now clears up behind it, and is not stopped by anybody. */
  clearsUp: boolean;
  /** What was last said about why the run waits. */
  waits: string | null;
  /** What the step that is under way waits for by itself; null = it does not. */
  note: string | null;
}

/** What a step kind may use while it works for this execution. */
export function stepContext(execution: Execution, stepId: string, cap: number | null): StepContext {
  return {
    ...otherSystems(execution.environment),
    runId: execution.run.id,
    stepId,
    sequenceBase: execution.run.sequenceBase,
    fence: execution.fence,
    cap,
    signal: AbortSignal.timeout(24 * 3_600_000),
  };
}
