import { randomInt } from 'node:crypto';
import { votesNeeded } from '../approvals/policy.ts';
import type { ChecklistItem } from '../checklists/checklist-item.ts';
import { effectOf } from '../plans/build-plan.ts';
import type { Environment } from '../plans/environment.ts';
import type { Plan } from '../plans/plan.ts';
import { isFailed, newBackupId } from '../plans/plan-actions.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import { digestOf, type Json } from '../shared/json.ts';
import type { BackupView, Person, Refusal, RunRequest, Submission } from './door.ts';
import { type Gate, isFree, mayAsk } from './gates.ts';
import { withLastProof } from './last-proof.ts';
import { type MakePlan, parkedSubject } from './make-plan.ts';
import type { NewRun, RunRecords } from './run-records.ts';
import { standsStill } from './run-status.ts';

export interface SubmitDeps {
  readonly environments: ReadonlyMap<string, Environment>;
  readonly records: RunRecords;
  readonly makePlan: MakePlan;
  readonly listBackups: (environment: string) => Promise<readonly BackupView[]>;
  readonly clock: Clock;
  /** What is to be looked at around a migration there; absent = nothing. Throws `invalid-file`. */
  readonly checklist?: (environment: string) => Promise<readonly ChecklistItem[]>;
}

/** The one way to a run: gates, plan, digest, and a row that waits for votes or goes straight to the workers. */
export async function submit(deps: SubmitDeps, request: RunRequest): Promise<Submission> {
  const environment = findEnvironment(deps.environments, request.environment);
  const right = mayAsk(request.person, request.action);
  if (!right.pass) return refusalOf(right);
  const beside = request.action === 'validate' || request.action === 'self-check';
  const holder = beside ? null : await deps.records.leaseHolder(environment.name);
  // A drill keeps out of the way of a run, not of one that stands still: then its result is what people wait for.
  if (holder !== null && !(request.action === 'drill' && standsStill(holder.status))) {
    const free = isFree(environment.name, holder, await parkedSubject(deps.records, request, holder));
    if (!free.pass) return refusalOf(free);
  }
  const checklist = request.action === 'migrate' ? await deps.checklist?.(environment.name) : undefined;
  const backupId = newBackupId(deps.clock);
  const made = await withLastProof(await deps.makePlan(environment, request, backupId), deps.listBackups);
  const alsoAskedBy = [...new Set([...(made.alsoAskedBy ?? []), ...(request.alsoAskedBy ?? [])])];
  const plan = alsoAskedBy.length > 0 ? { ...made, alsoAskedBy } : made;
  const failed = plan.findings.filter(isFailed);
  if (failed.length > 0) return refusedByFindings(plan);
  if (changesNothing(plan)) return { kind: 'nothing-to-do', title: plan.title, findings: plan.findings };
  const run = makeNewRun(deps, environment, request, plan, backupId);
  await deps.records.create(checklist === undefined ? run : { ...run, checklist });
  const stored = await deps.records.find(run.id);
  if (!stored) throw new Error(`run ${run.id} was stored and is not there`);
  return { kind: 'accepted', run: stored, votesNeeded: run.votesNeeded };
}

/** Throws `unknown-environment` with those that are configured. */
export function findEnvironment(environments: ReadonlyMap<string, Environment>, name: string): Environment {
  const environment = environments.get(name);
  if (environment) return environment;
  throw new Failure({
    code: 'unknown-environment',
    message: `There is no environment ${name}.`,
    advice: `Configured are: ${[...environments.keys()].join(', ')}. Nothing was changed.`,
  });
}

export function refusalOf(gate: Exclude<Gate, { pass: true }>): Refusal {
  const { code, message, advice } = gate;
  return { kind: 'refused', code, message, advice, findings: [] };
}

function refusedByFindings(plan: Plan): Refusal {
  return {
    kind: 'refused',
    code: 'precondition-failed',
    message: `${plan.title} cannot start: the data is not as it must be.`,
    advice: 'Nothing was changed. Mend what the findings name, then ask again.',
    findings: plan.findings,
  };
}

function changesNothing(plan: Plan): boolean {
  if (!['migrate', 'maintenance', 'retention'].includes(plan.action)) return false;
  return plan.totals.adds + plan.totals.changes + plan.totals.destroys === 0;
}

/** The row of a run that is asked for now. */
export function makeNewRun(
  deps: Pick<SubmitDeps, 'clock'>,
  environment: Environment,
  request: Pick<RunRequest, 'reason'> & { readonly person: Pick<Person, 'id' | 'name'> },
  plan: Plan,
  backupId: string,
): NewRun {
  const now = deps.clock.now();
  const needed = votesNeeded({ effect: effectOf(plan), undoClass: plan.undoClass }, environment);
  const takesBackup = plan.stages.some((stage) => stage.steps.some((step) => step.use === 'backup.seal-set'));
  return {
    id: newRunId(now),
    plan,
    digest: digestOf(plan as unknown as Json),
    requester: { id: request.person.id, name: request.person.name },
    reason: request.reason,
    votesNeeded: needed,
    sequenceBase: String(BigInt(now.getTime()) * 1000n),
    requestedAt: now,
    expiresAt: new Date(now.getTime() + environment.expiresMinutes * 60_000),
    backupId: takesBackup ? backupId : null,
    queued: needed === 0,
  };
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Seven characters of time (seconds), three at random: ids sort by time. */
function newRunId(now: Date): string {
  let seconds = Math.floor(now.getTime() / 1000);
  let text = '';
  for (let i = 0; i < 7; i += 1) {
    text = alphabet.charAt(seconds % 32) + text;
    seconds = Math.floor(seconds / 32);
  }
  for (let i = 0; i < 3; i += 1) text += alphabet.charAt(randomInt(32));
  return `run-${text}`;
}
