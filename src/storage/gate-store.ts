import type { ControlRecords } from '../runs/control-records.ts';
import type { Clock } from '../shared/clock.ts';
import { spendConfirmation } from './confirmation-store.ts';
import type { Database } from './database.ts';
import { readGates } from './gate-rows.ts';
import { changeStatus, goOn, lockStatus, writeEvent } from './run-changes.ts';
import type { RunQueueClient } from './run-queue-client.ts';

interface Deps {
  readonly database: Database;
  readonly queue: RunQueueClient;
  readonly clock: Clock;
}

/** Votes on single steps, in the bot's own PostgreSQL. */
export function createGateStore(deps: Deps): Pick<ControlRecords, 'openGate' | 'newestGate' | 'voteOnGate'> {
  const { database, clock } = deps;
  return {
    openGate: ({ runId, step, digest, votesNeeded, expiresAt }) =>
      database.tx(async (client) => {
        await lockStatus(client, runId);
        await client.query(
          `update tas.step_gate set state = 'replaced'
            where run_id = $1 and (state = 'open' or (state = 'approved' and step_id = $2))`,
          [runId, step.id],
        );
        await client.query(
          `insert into tas.step_gate (run_id, step_id, preview, digest, votes_needed, state, asked_at, expires_at)
           values ($1, $2, $3, $4, $5, 'open', $6, $7)`,
          [runId, step.id, JSON.stringify(step), digest, votesNeeded, clock.now(), expiresAt],
        );
      }),
    async newestGate(runId, stepId) {
      const gates = (await readGates(database.pool, [runId])).get(runId) ?? [];
      return gates.findLast(({ step }) => step.id === stepId) ?? null;
    },
    voteOnGate: (runId, gateId, vote, decide, refused) =>
      database.tx(async (client) => {
        if ((await lockStatus(client, runId)) !== 'paused') return 'over';
        const gate = (await readGates(client, [runId])).get(runId)?.find(({ id }) => id === gateId);
        if (gate?.state !== 'open') return 'over';
        const { rowCount } = await client.query(
          `insert into tas.step_gate_vote (gate_id, voter_id, voter_name, choice, digest, reason, at)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
          [gateId, vote.voter.id, vote.voter.name, vote.choice, vote.digest, vote.reason, vote.at],
        );
        if (rowCount !== 1) return 'doubled';
        const confirmed = await spendConfirmation(client, runId, vote);
        await writeEvent(
          client,
          clock,
          runId,
          'voted',
          `${vote.voter.name}: ${vote.choice} ${gate.step.title}${confirmed}`,
        );
        const decision = decide([...gate.votes, vote]);
        if (decision === 'wait') return decision;
        const state = decision === 'queued' ? 'approved' : 'rejected';
        await client.query('update tas.step_gate set state = $2 where id = $1', [gateId, state]);
        if (decision === 'queued') {
          await goOn(deps, client, runId, { from: 'paused', text: `approved: ${gate.step.title}` });
        } else {
          await changeStatus(client, clock, runId, 'parked', { failure: refused });
          await writeEvent(client, clock, runId, 'failed', refused.message);
        }
        return decision;
      }),
  };
}
