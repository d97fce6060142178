import type { Environment } from '../plans/environment.ts';
import { maskConflict } from '../plans/mask.ts';
import { Failure } from '../shared/failure.ts';
import type { System } from '../systems/system.ts';
import { type AdviseDeps, advise } from './advise.ts';
import { castVote } from './cast-vote.ts';
import type { StepUp } from './confirm-vote.ts';
import { controlRun } from './control-run.ts';
import type { Door, EnvironmentStatus, Person, Refusal, SystemView } from './door.ts';
import { findEndedHolds } from './ended-holds.ts';
import { findRun } from './find-run.ts';
import { mayOperate, mayRead } from './gates.ts';
import { readMarks, unmark } from './heartbeat.ts';
import { readStanding, standingFor } from './intrusions.ts';
import { preview } from './preview.ts';
import type { ConflictReport, Run } from './run.ts';
import { findEnvironment, refusalOf, type SubmitDeps, submit } from './submit.ts';

export interface DoorDeps extends SubmitDeps {
  readonly readBackup: AdviseDeps['readBackup'];
  /** Absent = no approval needs to be confirmed. */
  readonly stepUp?: StepUp;
}

/** The door for Slack, the terminal and schedules. Failures come back as refusals; anything thrown is a bug. */
export function openDoor(deps: DoorDeps): Door {
  const { records, environments } = deps;
  return {
    environments: [...environments.values()].map(({ name, production, channel }) => ({ name, production, channel })),
    async migrations() {
      const all = new Map<string, { id: string; title: string; description: string }>();
      for (const environment of environments.values()) {
        for (const { id, title, description } of (await environment.migrations()).values())
          all.set(id, { id, title, description });
      }
      return [...all.values()];
    },
    submit: (request) => refusing(() => submit(deps, request)),
    plan: (request) => refusing(() => preview(deps, request)),
    advise: (runId, person) => refusing(() => advise(deps, runId, person)),
    vote: (request) => refusing(() => castVote(deps, request)),
    control: (request) => refusing(() => controlRun(deps, request)),
    retry: (runId, person) => refusing(() => retry(deps, runId, person)),
    keep: (runId, person) => refusing(() => keep(deps, runId, person)),
    status: (environment, person) => refusing(() => readStatus(deps, environment, person)),
    backups: (environment, person) =>
      refusing(async () => reading(person) ?? deps.listBackups(findEnvironment(environments, environment).name)),
    runs: (filter, person) => refusing(async () => reading(person) ?? records.list(filter)),
    run: (runId) => records.find(runId),
    conflicts: (runId, limit) => readConflicts(deps, runId, limit),
    events: (afterId, limit) => records.events(afterId, limit),
    listen: (wake) => records.listen(wake),
  };
}

async function refusing<T>(work: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { kind: 'refused', code: error.code, message: error.message, advice: error.advice, findings: [] };
  }
}

function reading(person: Person): Refusal | null {
  const gate = mayRead(person);
  return gate.pass ? null : refusalOf(gate);
}

async function retry(deps: DoorDeps, runId: string, person: Person): Promise<Run | Refusal> {
  return handleParked(deps, runId, person, () =>
    deps.records.enqueueRetry(runId, { id: person.id, name: person.name }),
  );
}

async function keep(deps: DoorDeps, runId: string, person: Person): Promise<Run | Refusal> {
  return handleParked(deps, runId, person, async (run) => {
    const moved = await deps.records.move(runId, 'closed', { type: 'closed', text: `kept as it is by ${person.name}` });
    if (moved) await deps.records.releaseLease(run.environment, runId);
    const environment = deps.environments.get(run.environment);
    if (moved && environment) await unmark(environment, run, null);
    return moved;
  });
}

async function handleParked(
  deps: DoorDeps,
  runId: string,
  person: Person,
  work: (run: Run) => Promise<boolean>,
): Promise<Run | Refusal> {
  const gate = mayOperate(person);
  if (!gate.pass) return refusalOf(gate);
  const run = await findRun(deps.records, runId);
  if (await work(run)) return findRun(deps.records, runId);
  return {
    kind: 'refused',
    code: 'stale',
    message: `${runId} is ${run.status}, not parked.`,
    advice: '`/tas status` shows where things are. Nothing was changed.',
    findings: [],
  };
}

async function readStatus(deps: DoorDeps, name: string, person: Person): Promise<EnvironmentStatus | Refusal> {
  const refused = reading(person);
  if (refused) return refused;
  const environment = findEnvironment(deps.environments, name);
  const [systems, holder, backups, openRuns, endedHolds] = await Promise.all([
    readSystems(deps, environment),
    deps.records.leaseHolder(name),
    deps.listBackups(name),
    deps.records.list({ environment: name, statuses: ['planned', 'queued', 'running', 'paused', 'parked'], limit: 20 }),
    findEndedHolds(deps.records, environment, deps.clock.now()),
  ]);
  const held = holder === null ? null : await deps.records.find(holder.runId);
  return {
    environment: name,
    production: environment.production,
    standing: [
      ...(held === null ? [] : await readStanding(environment.systems, standingFor(held))),
      ...(await readMarks(environment, holder)),
    ],
    systems,
    holder,
    lastBackup: backups[0] ?? null,
    openRuns,
    endedHolds,
  };
}

async function readSystems(deps: DoorDeps, environment: Environment): Promise<SystemView[]> {
  const seen = new Map(await deps.records.lastUp(environment.name));
  return Promise.all(
    [...environment.systems.values()].map(async (system) => {
      const health = await system.checkHealth();
      const now = deps.clock.now();
      if (health.up) {
        await deps.records.sawUp(environment.name, system.name, now);
        seen.set(system.name, now.toISOString());
      }
      const dataModel = health.up ? await readDataModel(system) : null;
      return { name: system.name, type: system.type, health, lastUpAt: seen.get(system.name) ?? null, dataModel };
    }),
  );
}

/** A status is told even where a system answers and cannot be read. */
async function readDataModel({ dataModel }: System): Promise<SystemView['dataModel']> {
  try {
    return (await dataModel?.read()) ?? null;
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

async function readConflicts(deps: DoorDeps, runId: string, limit: number): Promise<ConflictReport> {
  const run = await findRun(deps.records, runId);
  const environment = findEnvironment(deps.environments, run.environment);
  const progress = new Map(run.steps.map((step) => [step.stepId, step]));
  const conflicts = [];
  let total = 0;
  for (const step of run.plan.stages.flatMap((stage) => stage.steps).filter(({ mode }) => mode === 'undo')) {
    total += (progress.get(step.id)?.kept ?? 0) + (progress.get(step.id)?.missing ?? 0);
    const journal = step.system === null ? undefined : environment.systems.get(step.system)?.journal;
    if (!journal || conflicts.length >= limit) continue;
    for (const conflict of await journal.conflicts(run.id, step.id, limit - conflicts.length)) {
      conflicts.push(maskConflict({ ...conflict, system: step.system as string, stepId: step.id }, environment.shown));
    }
  }
  return { total, conflicts };
}
