import type pg from 'pg';
import type { Vote } from '../approvals/vote.ts';
import type { Plan } from '../plans/plan.ts';
import type { RunEvent, RunEventType, StepProgress, StepState } from '../runs/run.ts';
import type { StoredRun } from '../runs/run-records.ts';
import type { RunStatus } from '../runs/run-status.ts';
import type { FailureReport } from '../shared/failure.ts';
import type { Finding } from '../systems/finding.ts';

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
}

interface VoteRow {
  run_id: string;
  voter_id: string;
  voter_name: string;
  choice: 'approve' | 'reject';
  digest: string;
  reason: string | null;
  at: Date;
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
}

const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString());

/** Reads runs with their votes and steps: three queries whatever the number of runs. */
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
  return rows.map((row) =>
    toRun(
      row,
      votes.get(row.id) ?? [],
      steps.rows.filter((step) => step.run_id === row.id),
    ),
  );
}

/** Votes by run, oldest first. */
export async function readVotes(
  client: pg.Pool | pg.PoolClient,
  runIds: readonly string[],
): Promise<Map<string, Vote[]>> {
  const { rows } = await client.query<VoteRow>('select * from tas.vote where run_id = any($1) order by at', [runIds]);
  const byRun = new Map<string, Vote[]>();
  for (const row of rows) {
    const vote: Vote = {
      voter: { id: row.voter_id, name: row.voter_name },
      choice: row.choice,
      digest: row.digest,
      reason: row.reason,
      at: row.at.toISOString(),
    };
    byRun.set(row.run_id, [...(byRun.get(row.run_id) ?? []), vote]);
  }
  return byRun;
}

function toRun(row: RunRow, votes: readonly Vote[], steps: readonly StepRow[]): StoredRun {
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
    votesNeeded: row.votes_needed,
    sequenceBase: row.sequence_base,
    attempt: row.attempt,
  };
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
