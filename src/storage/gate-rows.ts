import type pg from 'pg';
import type { Vote } from '../approvals/vote.ts';
import type { PlanStep } from '../plans/plan.ts';
import type { StepGate } from '../runs/run.ts';

interface GateRow {
  id: string;
  run_id: string;
  preview: PlanStep;
  digest: string;
  votes_needed: number;
  state: StepGate['state'];
  asked_at: Date;
  expires_at: Date;
}

export interface VoteRow {
  voter_id: string;
  voter_name: string;
  choice: 'approve' | 'reject';
  digest: string;
  reason: string | null;
  at: Date;
  /** Of votes on plans only. */
  counts_from?: Date | null;
}

/** Votes on single steps by run, oldest first: two queries whatever the number of runs. */
export async function readGates(
  client: pg.Pool | pg.PoolClient,
  runIds: readonly string[],
): Promise<Map<string, StepGate[]>> {
  const { rows } = await client.query<GateRow>('select * from tas.step_gate where run_id = any($1) order by id', [
    runIds,
  ]);
  const byRun = new Map<string, StepGate[]>();
  if (rows.length === 0) return byRun;
  const votes = await client.query<VoteRow & { gate_id: string }>(
    'select * from tas.step_gate_vote where gate_id = any($1::bigint[]) order by at',
    [rows.map(({ id }) => id)],
  );
  for (const row of rows) {
    const gate: StepGate = {
      id: Number(row.id),
      step: row.preview,
      digest: row.digest,
      votesNeeded: row.votes_needed,
      state: row.state,
      askedAt: row.asked_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      votes: votes.rows.filter(({ gate_id }) => gate_id === row.id).map(toVote),
    };
    byRun.set(row.run_id, [...(byRun.get(row.run_id) ?? []), gate]);
  }
  return byRun;
}

export function toVote(row: VoteRow): Vote {
  return {
    voter: { id: row.voter_id, name: row.voter_name },
    choice: row.choice,
    digest: row.digest,
    reason: row.reason,
    at: row.at.toISOString(),
    ...(row.counts_from ? { countsFrom: row.counts_from.toISOString() } : {}),
  };
}
