import type pg from 'pg';
import type { CastVote, Vote } from '../approvals/vote.ts';
import type { RunRecords } from '../runs/run-records.ts';
import type { Clock } from '../shared/clock.ts';
import { spendConfirmation } from './confirmation-store.ts';
import type { Database } from './database.ts';
import { changeStatus, lockStatus, writeEvent } from './run-changes.ts';
import type { RunQueueClient } from './run-queue-client.ts';
import { readVotes } from './run-rows.ts';

interface Deps {
  readonly database: Database;
  readonly queue: RunQueueClient;
  readonly clock: Clock;
}

type Decide = (votes: readonly Vote[]) => 'wait' | 'queued' | 'rejected';

/** Votes on plans, in the bot's own PostgreSQL. */
export function createVoteStore(
  deps: Deps,
): Pick<RunRecords, 'addVote' | 'voteAndMove' | 'votedSince' | 'brokenGlassDue' | 'countVotes'> {
  const { database, clock } = deps;
  return {
    addVote: (runId, vote) => insertVote(database.pool, runId, vote),
    voteAndMove: (runId, vote, decide) =>
      database.tx(async (client) => {
        if ((await lockStatus(client, runId)) !== 'planned') return 'over';
        if (!(await insertVote(client, runId, vote))) return 'doubled';
        const confirmed = await spendConfirmation(client, runId, vote);
        const how = vote.countsFrom === undefined ? '' : ' by break-glass';
        await writeEvent(client, clock, runId, 'voted', `${vote.voter.name}: ${vote.choice}${how}${confirmed}`);
        if (vote.countsFrom !== undefined) await breakGlass(client, clock, runId, vote, vote.countsFrom);
        return follow(deps, client, runId, decide, vote.reason);
      }),
    async votedSince(at) {
      const { rows } = await database.pool.query<{ run_id: string; digest: string; voter_id: string }>(
        `select run_id, digest, voter_id from tas.vote where at > $1
         union all select run_id, vote.digest, voter_id from tas.step_gate_vote vote
           join tas.step_gate gate on gate.id = gate_id where at > $1`,
        [at],
      );
      return rows.map((row) => ({ runId: row.run_id, digest: row.digest, voterId: row.voter_id }));
    },
    async brokenGlassDue(now) {
      const { rows } = await database.pool.query<{ run_id: string }>(
        `select distinct run_id from tas.vote join tas.run on run.id = run_id
          where counts_from <= $1 and status = 'planned'`,
        [now],
      );
      return rows.map((row) => row.run_id);
    },
    countVotes: (runId, decide) =>
      database.tx(async (client) => {
        if ((await lockStatus(client, runId)) !== 'planned') return 'over';
        return follow(deps, client, runId, decide, 'by break-glass, and nobody has said no');
      }),
  };
}

/** It does not expire while people may still say no, nor right after. */
async function breakGlass(
  client: pg.PoolClient,
  clock: Clock,
  runId: string,
  { voter, reason }: CastVote,
  countsFrom: string,
): Promise<void> {
  await client.query(
    `update tas.run set expires_at = greatest(expires_at, $2::timestamptz + interval '1 hour') where id = $1`,
    [runId, countsFrom],
  );
  await writeEvent(client, clock, runId, 'glass-broken', `${voter.name}: ${reason ?? ''}`);
}

async function follow(
  { queue, clock }: Deps,
  client: pg.PoolClient,
  runId: string,
  decide: Decide,
  why: string | null,
): Promise<'wait' | 'queued' | 'rejected'> {
  const decision = decide((await readVotes(client, [runId])).get(runId) ?? []);
  if (decision === 'wait') return decision;
  await changeStatus(client, clock, runId, decision, {});
  await writeEvent(client, clock, runId, decision === 'queued' ? 'approved' : 'rejected', why);
  if (decision === 'queued' && !(await hasWindow(client, runId))) await queue.enqueue(client, runId, 1);
  return decision;
}

/** Such a run is handed to the workers when its window is open. */
async function hasWindow(client: pg.PoolClient, runId: string): Promise<boolean> {
  const { rows } = await client.query<{ bound: boolean }>(
    `select plan ? 'window' as bound from tas.run where id = $1`,
    [runId],
  );
  return rows[0]?.bound === true;
}

async function insertVote(client: pg.Pool | pg.PoolClient, runId: string, vote: Vote): Promise<boolean> {
  const { rowCount } = await client.query(
    `insert into tas.vote (run_id, voter_id, voter_name, choice, digest, reason, at, counts_from)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [runId, vote.voter.id, vote.voter.name, vote.choice, vote.digest, vote.reason, vote.at, vote.countsFrom ?? null],
  );
  return rowCount === 1;
}
