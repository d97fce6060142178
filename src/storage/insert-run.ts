import type pg from 'pg';
import type { NewRun } from '../runs/run-records.ts';

export async function insertRun(client: pg.PoolClient, run: NewRun): Promise<void> {
  await client.query(
    `insert into tas.run (id, environment, action, subject, status, requester_id, requester_name, reason, plan, digest,
       votes_needed, sequence_base, requested_at, expires_at, backup_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      run.id,
      run.plan.environment,
      run.plan.action,
      run.plan.subject,
      run.queued ? 'queued' : 'planned',
      run.requester.id,
      run.requester.name,
      run.reason,
      JSON.stringify(run.plan),
      run.digest,
      run.votesNeeded,
      run.sequenceBase,
      run.requestedAt,
      run.expiresAt,
      run.backupId,
    ],
  );
}
