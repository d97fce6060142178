import { looking, type Plan, type PlanStage, type PlanStep, type PlanWindow } from '../plans/plan.ts';
import { Failure, type FailureReport } from '../shared/failure.ts';
import { digestOf, type Json } from '../shared/json.ts';
import { type Attempt, attemptPatiently, persist } from './attempt.ts';
import type { Halt } from './before-batch.ts';
import { openGates, type WalkedGates } from './checklist-gates.ts';
import { changedSince, compareStandingStill, comparesAgain, compareWithNow } from './compare-with-now.ts';
import type { StepPoint } from './control-records.ts';
import type { CarryOutDeps, Durable, Execution } from './execution.ts';
import { mark, startHeartbeat, unmark } from './heartbeat.ts';
import { sayStanding, undoDueOf } from './left-standing.ts';
import { performStep } from './perform-step.ts';
import type { StoredRun } from './run-records.ts';
import { isOver, type RunStatus, standsStill } from './run-status.ts';
import { usualPacing } from './throttle.ts';
import { windowGate } from './window-gate.ts';

export type Outcome = 'done' | 'paused' | 'parked' | 'voided' | 'over';

/** What an attempt finds. Older versions remembered a word: `begun` = an earlier attempt has changed something. */
type Start = 'over' | 'fresh' | 'begun' | { readonly begun: boolean; readonly points: readonly StepPoint[] };

/** Kinds whose answer is as of now: what an earlier attempt found may have changed while the run stood still. */
const neverSkipped: readonly string[] = ['undo.find-references'];

/**
 * Carries one attempt at a run to its end. Everything that decides what comes next is the result of a durable step, so
 * that another process which takes up after a crash goes the same way. Only the end itself is none: it may come early in
 * a process that takes up and finds a store gone, and doing it twice is doing it once.
 */
export async function carryOut(
  deps: CarryOutDeps,
  runId: string,
  attemptNumber: number,
  durable: Durable,
): Promise<Outcome> {
  const start = await durable.step('start', () => begin(deps, runId));
  if (start === 'over') return 'over';
  const run = await persist(deps.logger, () => findRun(deps, runId));
  // The crash came after the end: somebody may have retried or undone the run since.
  if (run.attempt !== attemptNumber || run.status !== 'running') return afterEnd(deps, run);
  const unable = hasBegun(run) ? 'parked' : 'voided';
  const environment = deps.environments.get(run.environment);
  if (!environment) return end(deps, run, unable, gone(run.environment));
  if (digestOf(run.plan as unknown as Json) !== run.digest) return end(deps, run, unable, tampered());
  const gates = await openGates(deps, run, durable);
  // Before it holds its environment: an approved run that waits for its checklist holds up nobody.
  const notYet = await gates.pass('start');
  if (notYet !== null) return endHalted(deps, run, notYet, unable);
  const execution: Execution = {
    deps,
    run,
    environment,
    durable,
    fence: { environment: run.environment, token: 0 },
    points: typeof start === 'string' ? null : new Map(start.points.map((point) => [point.stepId, point])),
    clearsUp: false,
    waits: run.control.waits,
    note: null,
  };
  const held = await takeEnvironment(execution);
  if (held !== null) return end(deps, run, unable, held);
  const beat = holdsEnvironment(run.plan) ? startHeartbeat(execution) : null;
  try {
    return await carryOutStages(execution, gates, typeof start === 'string' ? start === 'begun' : start.begun);
  } finally {
    beat?.stop();
  }
}

/** Whether the run holds its environment: backups do, because stores must stand still. */
export function holdsEnvironment(plan: Plan): boolean {
  return !looking.includes(plan.action);
}

async function carryOutStages(execution: Execution, gates: WalkedGates, begun: boolean): Promise<Outcome> {
  const { run, durable, deps } = execution;
  let compared = begun;
  let again = comparesAgain(execution);
  let failure: FailureReport | null = null;
  for (const stage of run.plan.stages) {
    if (failure !== null && !stage.always) continue;
    const steps = stage.steps.filter((step) => stage.always || !isDone(execution, step));
    if (steps.length === 0 && stage.steps.length > 0) continue;
    if (!compared && steps.some((step) => step.effect !== 'reads')) {
      const changes = await durable.step('compare', () => compareAndTell(execution));
      if ('failed' in changes) return end(deps, run, 'parked', changes.failed);
      if (changes.ok.length > 0) return end(deps, run, 'voided', changedSince(changes.ok));
      compared = true;
    }
    if (again && stage.id !== 'before') {
      const moved = await durable.step('compare-again', () => compareStandingStill(execution));
      if (moved !== null) return end(deps, run, 'parked', moved.failed);
      again = false;
    }
    const held: Halt | null = stage.id === 'after' && failure === null ? await gates.pass('services-up') : null;
    const halt: Halt | null = held ?? (await carryOutStage(execution, stage, steps));
    if (halt === null) continue;
    if ('gone' in halt) return 'over';
    if ('paused' in halt) return end(deps, run, 'paused', null, halt.paused);
    failure = halt.failed;
    execution.clearsUp = true;
  }
  if (failure !== null) return end(deps, run, 'parked', failure);
  // Where no services were stopped, none come up: what was to be looked at before that is looked at now.
  const last = (await gates.pass('services-up')) ?? (await gates.pass('end'));
  if (last !== null) return endHalted(deps, run, last);
  await durable.step('settle', () => deps.settle(run));
  return end(deps, run, 'done', null);
}

/** What changes now is told before it does, in the same durable step: its end is the start of the changes. */
async function compareAndTell(execution: Execution): Promise<Attempt<readonly string[]>> {
  const { deps, run } = execution;
  const changes = await compareWithNow(execution);
  if ('ok' in changes && changes.ok.length === 0) await deps.records.event(run.id, 'changing', null, 'changing');
  return changes;
}

function endHalted(
  deps: CarryOutDeps,
  run: StoredRun,
  halt: Exclude<Halt, { gone: true }>,
  failed: 'parked' | 'voided' = 'parked',
): Promise<Outcome> {
  return 'paused' in halt ? end(deps, run, 'paused', null, halt.paused) : end(deps, run, failed, halt.failed);
}

/** Whether an earlier attempt came to the step's end, so that it is not walked again. */
function isDone({ points }: Execution, step: PlanStep): boolean {
  return points?.get(step.id)?.state === 'done' && !neverSkipped.includes(step.use);
}

async function carryOutStage(execution: Execution, stage: PlanStage, steps: readonly PlanStep[]): Promise<Halt | null> {
  const { deps, durable, run } = execution;
  await durable.step(`${stage.id}:stage`, () =>
    deps.records.event(run.id, 'stage-started', stage.title, `${run.attempt}:${stage.id}`),
  );
  for (const step of steps) {
    const halt = await performStep(execution, step, !stage.always && !neverSkipped.includes(step.use));
    if (halt !== null) return halt;
    // A restored store brings its old fence back: a greater token is written before anything else happens to it.
    if (step.use === 'backup.restore-part') {
      const held = await takeEnvironment(execution);
      if (held !== null) return { failed: held };
    }
  }
  return null;
}

/** Makes a queued run a running one. `over` = there is nothing to do. */
async function begin(deps: CarryOutDeps, runId: string): Promise<Start> {
  const run = await findRun(deps, runId);
  if (isOver(run.status)) return 'over';
  const { records, clock } = deps;
  if (run.status === 'queued' && run.plan.window !== undefined) {
    const missed = await awaitWindow(deps, run.plan.window);
    if (missed !== null) {
      await records.move(runId, 'expired', { type: 'expired', text: missed });
      return 'over';
    }
  } else if (run.status === 'queued' && run.votesNeeded > 0 && clock.now().getTime() >= Date.parse(run.expiresAt)) {
    await records.move(runId, 'expired', { type: 'expired', text: 'the approval ran out before a worker was free' });
    return 'over';
  }
  if (run.status === 'queued') await records.move(runId, 'running', { type: 'started', text: null });
  return { begun: hasBegun(run), points: await records.points(runId) };
}

/** It is queued when its window is open; the clock of another process may be behind by a little. Answers why not, or null. */
async function awaitWindow(deps: CarryOutDeps, window: PlanWindow): Promise<string | null> {
  for (;;) {
    const gate = windowGate(window, (await deps.windowNow?.(window.id)) ?? 'to-come', deps.clock.now());
    if (gate.pass) return null;
    if ('why' in gate) return gate.why;
    await (deps.pacing?.sleep ?? usualPacing.sleep)(Math.min(gate.waitMs, 1_000));
  }
}

/** Whether a step that changes something was begun, in this attempt or an earlier one. */
function hasBegun(run: StoredRun): boolean {
  const effects = new Map(run.plan.stages.flatMap((stage) => stage.steps).map((step) => [step.id, step.effect]));
  return run.steps.some((step) => step.state !== 'waiting' && effects.get(step.stepId) !== 'reads');
}

/** Takes or re-takes the lease and makes every store refuse older tokens. Answers why not, or null. */
async function takeEnvironment(execution: Execution): Promise<FailureReport | null> {
  const { run, deps, environment } = execution;
  if (!holdsEnvironment(run.plan)) return null;
  const lease = await persist(deps.logger, async () => {
    const inherits = run.plan.action === 'rollback' || run.plan.action === 'restore';
    return deps.records.acquireLease(environment.name, run.id, inherits ? await parkedHolder(execution) : null);
  });
  if ('holder' in lease) return busy(environment.name, lease.holder.runId);
  execution.fence = { environment: environment.name, token: lease.token };
  const changing = run.plan.stages.some((stage) => stage.steps.some((step) => step.effect !== 'reads'));
  if (!changing) return null;
  const advanced: Attempt<void> = await attemptPatiently(deps.logger, async () => {
    for (const system of environment.systems.values()) await system.advanceFence?.(execution.fence);
  });
  return 'failed' in advanced ? advanced.failed : null;
}

/** A rollback or restore inherits the environment from the run that stands still and that it clears up. */
async function parkedHolder({ deps, environment, run }: Execution): Promise<string | null> {
  const holder = await deps.records.leaseHolder(environment.name);
  const clearsUp = run.plan.action === 'restore' || holder?.runId === run.plan.subject;
  return holder !== null && standsStill(holder.status) && clearsUp ? holder.runId : null;
}

/** May be called again after a crash. The lease goes last: until then nobody else can take the environment. */
async function end(
  deps: CarryOutDeps,
  run: StoredRun,
  status: 'done' | 'paused' | 'parked' | 'voided',
  failure: FailureReport | null,
  pause: string | null = null,
): Promise<Outcome> {
  const { records, logger } = deps;
  const type = status === 'parked' ? 'failed' : status;
  const still = standsStill(status) ? await sayStanding(deps, run) : '';
  const why = failure === null ? null : { ...failure, message: `${failure.message}${still}` };
  const pausedFor = pause === null ? null : `${pause}${still === '' ? '' : `.${still}`}`;
  const event = { type, text: why?.message ?? pausedFor } as const;
  const due = status === 'parked' ? await undoDueOf(deps, run) : null;
  const detail = {
    ...(why === null ? {} : { failure: why }),
    ...(pausedFor === null ? {} : { pause: pausedFor }),
    ...(due === null ? {} : { undoDue: due }),
  };
  await persist(logger, async () => {
    if (standsStill(status) && holdsEnvironment(run.plan)) await records.parkLease(run.environment, run.id);
    const moved = await records.move(run.id, status, event, detail);
    // One that was parked meanwhile, because nothing was heard of this worker, keeps its environment.
    const ended = moved || isOver((await findRun(deps, run.id)).status);
    if (!standsStill(status) && ended) await records.releaseLease(run.environment, run.id);
  });
  await markEnd(deps, run, status);
  return status;
}

/** A run that stands still keeps its mark, with what it has left standing. */
async function markEnd({ environments, logger }: CarryOutDeps, run: StoredRun, status: Outcome): Promise<void> {
  const environment = environments.get(run.environment);
  if (environment === undefined || !holdsEnvironment(run.plan)) return;
  await (standsStill(status as RunStatus) ? mark : unmark)(environment, run, logger);
}

async function afterEnd(deps: CarryOutDeps, run: StoredRun): Promise<Outcome> {
  if (isOver(run.status)) await deps.records.releaseLease(run.environment, run.id);
  const { status } = run;
  return status === 'done' || status === 'voided' || standsStill(status) ? (status as Outcome) : 'over';
}

async function findRun(deps: CarryOutDeps, runId: string): Promise<StoredRun> {
  const run = await deps.records.find(runId);
  if (run) return run;
  throw new Failure({ code: 'unknown-run', message: `There is no run ${runId}.`, advice: 'Nothing was changed.' });
}

function tampered(): FailureReport {
  return {
    code: 'plan-changed',
    message: 'The stored plan is not the one that was signed.',
    advice: "Somebody or something wrote into the bot's database. Find out what; then ask for the run again.",
    retryable: false,
  };
}

function busy(environment: string, holder: string): FailureReport {
  return {
    code: 'environment-busy',
    message: `${environment} is held by ${holder}.`,
    advice: 'Nothing was changed. Ask again when that run is over.',
    retryable: true,
  };
}

function gone(environment: string): FailureReport {
  return {
    code: 'unknown-environment',
    message: `The environment ${environment} is no longer configured.`,
    advice: 'Nothing was changed. Put it back into the configuration and ask again.',
    retryable: false,
  };
}
