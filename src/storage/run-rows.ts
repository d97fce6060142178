import type pg from 'pg';
import type { Vote } from '../approvals/vote.ts';
import type { Plan } from '../plans/plan.ts';
import type { StepPoint } from '../runs/control-records.ts';
import type { RunControl, RunEvent, RunEventType, StepGate, StepProgress, StepState } from '../runs/run.ts';
import type { StoredRun } from '../runs/run-records.ts';
import type { RunStatus } from '../runs/run-status.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';
import { readGates, toVote, type VoteRow } from './gate-rows.ts';

interface RunRow {
  id: string;
  environment: string;
  status: RunStatus;
  requester_id: string;
  requester_name: string;
  reason: string | null;
  plan: Plan;
  digest: string;
  votes_needed: number;
  sequence_base: string;
  attempt: number;
  requested_at: Date;
  expires_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  findings: Finding[];
  failure: FailureReport | null;
  backup_id: string | null;
  undone_by: string | null;
  undo_due: Date | null;
  pace: number;
  pause: string | null;
  waits: string | null;
}

interface StepRow {
  run_id: string;
  step_id: string;
  state: StepState;
  done: string;
  kept: string;
  missing: string;
  batches: number;
  started_at: Date | null;
  ended_at: Date | null;
  place: StepPoint['place'];
}

const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString());

/** Reads runs with their votes, steps and what is asked of them: a few queries whatever the number of runs. */
export async function readRuns(
  client: pg.Pool | pg.PoolClient,
  where: string,
  values: unknown[],
): Promise<StoredRun[]> {
  const { rows } = await client.query<RunRow>(`select * from tas.run ${where}`, values);
  const ids = rows.map((row) => row.id);
  const votes = await readVotes(client, ids);
  const steps = await client.query<StepRow>(
    'select * from tas.run_step where run_id = any($1) order by started_at, step_id',
    [ids],
  );
  const asked = await readAsked(client, ids);
  const gates = await readGates(client, ids);
  return rows.map((row) =>
    toRun(
      row,
      votes.get(row.id) ?? [],
      steps.rows.filter((step) => step.run_id === row.id),
      { asked: asked.get(row.id) ?? null, gates: gates.get(row.id) ?? [] },
    ),
  );
}

/** Steps that were begun, with where their next batch begins. */
export async function readPoints(client: pg.Pool, runId: string): Promise<StepPoint[]> {
  const { rows } = await client.query<StepRow>('select * from tas.run_step where run_id = $1 order by step_id', [
    runId,
  ]);
  return rows.map((row) => ({ ...toStep(row), place: row.place }));
}

/** What the engine has still to come to, by run. */
async function readAsked(
  client: pg.Pool | pg.PoolClient,
  runIds: readonly string[],
): Promise<Map<string, NonNullable<RunControl['asked']>>> {
  const { rows } = await client.query<{ run_id: string; what: 'pause' | 'stop'; by_name: string }>(
    `select q.run_id, q.what, q.by_name from tas.run_request q join tas.run r on r.id = q.run_id and r.attempt = q.attempt
      where q.run_id = any($1) and q.what in ('pause', 'stop') and r.status = 'running' order by q.what`,
    [runIds],
  );
  return new Map(rows.map(({ run_id, what, by_name }) => [run_id, { what, by: by_name }]));
}

/** Votes by run, oldest first. */
export async function readVotes(
  client: pg.Pool | pg.PoolClient,
  runIds: readonly string[],
): Promise<Map<string, Vote[]>> {
  const { rows } = await client.query<VoteRow & { run_id: string }>(
    'select * from tas.vote where run_id = any($1) order by at',
    [runIds],
  );
  const byRun = new Map<string, Vote[]>();
  for (const row of rows) {
    byRun.set(row.run_id, [...(byRun.get(row.run_id) ?? []), toVote(row)]);
  }
  return byRun;
}

function toRun(
  row: RunRow,
  votes: readonly Vote[],
  steps: readonly StepRow[],
  control: { readonly asked: RunControl['asked']; readonly gates: readonly StepGate[] },
): StoredRun {
  return {
    id: row.id,
    environment: row.environment,
    status: row.status,
    plan: row.plan,
    digest: row.digest,
    requester: { id: row.requester_id, name: row.requester_name },
    reason: row.reason,
    requestedAt: row.requested_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
    votes,
    steps: inPlanOrder(row.plan, steps.map(toStep)),
    findings: row.findings,
    failure: row.failure,
    backupId: row.backup_id,
    undoneBy: row.undone_by,
    undoDue: iso(row.undo_due),
    control: { pace: row.pace, pause: row.pause, waits: row.waits, ...control, ballot: ballotOf(row, control.gates) },
    votesNeeded: row.votes_needed,
    sequenceBase: row.sequence_base,
    attempt: row.attempt,
  };
}

function ballotOf(row: RunRow, gates: readonly StepGate[]): StepGate | null {
  return row.status === 'paused' ? (gates.find(({ state }) => state === 'open') ?? null) : null;
}

/** Every step of the plan, those without a row as waiting. */
function inPlanOrder(plan: Plan, steps: readonly StepProgress[]): StepProgress[] {
  const byId = new Map(steps.map((step) => [step.stepId, step]));
  return plan.stages.flatMap((stage) =>
    stage.steps.map(
      (step) =>
        byId.get(step.id) ?? {
          stepId: step.id,
          state: 'waiting' as const,
          done: 0,
          kept: 0,
          missing: 0,
          batches: 0,
          startedAt: null,
          endedAt: null,
        },
    ),
  );
}

function toStep(row: StepRow): StepProgress {
  return {
    stepId: row.step_id,
    state: row.state,
    done: Number(row.done),
    kept: Number(row.kept),
    missing: Number(row.missing),
    batches: row.batches,
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
  };
}

export function toEvent(row: {
  id: string;
  run_id: string;
  at: Date;
  type: RunEventType;
  text: string | null;
}): RunEvent {
  return { id: Number(row.id), runId: row.run_id, at: row.at.toISOString(), type: row.type, text: row.text };
}
