import type pg from 'pg';
import type { CastVote } from '../approvals/vote.ts';
import { Failure } from '../shared/failure.ts';
import type { Confirmation, ConfirmationStore } from '../step-up/confirmation.ts';
import type { Database } from './database.ts';

interface ConfirmationRow {
  id: string;
  run_id: string;
  digest: string;
  person_id: string;
  person_name: string;
  reason: string | null;
  breaks_glass: boolean;
  state: Confirmation['state'];
  expires_at: Date;
  begun_at: Date | null;
}

/** Confirmations in the bot's own PostgreSQL. */
export function createConfirmationStore({ pool, tx }: Database): ConfirmationStore {
  return {
    add: (asked) =>
      tx(async (client) => {
        const { id, tokenHash, runId, digest, person, reason, breaksGlass, askedAt, expiresAt } = asked;
        // Two clicks at once ask one after the other: the link of the second is the one that works.
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`step-up ${runId} ${person.id}`]);
        await client.query(
          `update tas.confirmation set state = 'replaced' where run_id = $1 and digest = $2 and person_id = $3 and state = 'open'`,
          [runId, digest, person.id],
        );
        await client.query(
          `insert into tas.confirmation (id, token_hash, run_id, digest, person_id, person_name, reason, breaks_glass, state, asked_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10)`,
          [id, tokenHash, runId, digest, person.id, person.name, reason, breaksGlass, askedAt, expiresAt],
        );
        // Those that counted stay with their votes; the others are of no use to anybody after a while.
        await client.query(
          `delete from tas.confirmation where state <> 'counted' and expires_at < $1::timestamptz - interval '7 days'`,
          [askedAt],
        );
      }),
    find: (tokenHash) => first(pool, 'select * from tas.confirmation where token_hash = $1', [tokenHash]),
    begin: (tokenHash, { loginHash, browserHash }, now) =>
      first(
        pool,
        `update tas.confirmation set login_hash = $2, browser_hash = $3, begun_at = $4
          where token_hash = $1 and state = 'open' and expires_at > $4 returning *`,
        [tokenHash, loginHash, browserHash, now],
      ),
    claim: ({ loginHash, browserHash }, now) =>
      first(
        pool,
        `update tas.confirmation set login_hash = null, browser_hash = null
          where login_hash = $1 and browser_hash = $2 and state = 'open' and expires_at > $3 returning *`,
        [loginHash, browserHash, now],
      ),
    async prove(id, now) {
      const { rowCount } = await pool.query(
        `update tas.confirmation set state = 'proven', proven_at = $2 where id = $1 and state = 'open' and expires_at > $2`,
        [id, now],
      );
      return rowCount === 1;
    },
    async refuse(id) {
      await pool.query(
        `update tas.confirmation set state = 'refused', login_hash = null where id = $1 and state in ('open', 'proven')`,
        [id],
      );
    },
  };
}

/**
 * Uses up the confirmation that a vote names, in the vote's transaction. Throws `not-confirmed`, which takes the vote
 * back, unless it was given a moment ago by this person for just this. Answers what to say of it behind the vote.
 */
export async function spendConfirmation(client: pg.PoolClient, runId: string, vote: CastVote): Promise<string> {
  if (vote.confirmation === undefined) return '';
  const { rowCount } = await client.query(
    `update tas.confirmation set state = 'counted', counted_at = $5
      where id = $1 and run_id = $2 and digest = $3 and person_id = $4 and state = 'proven'
        and proven_at > $5::timestamptz - interval '1 minute' and $6 = 'approve'`,
    [vote.confirmation, runId, vote.digest, vote.voter.id, vote.at, vote.choice],
  );
  if (rowCount === 1) return ', confirmed by a login';
  throw new Failure({
    code: 'not-confirmed',
    message: `${vote.voter.name} has not confirmed this approval of ${runId}.`,
    advice: 'Approve it again, and follow the new link. The vote was not counted.',
  });
}

async function first(pool: pg.Pool, text: string, values: readonly unknown[]): Promise<Confirmation | null> {
  const { rows } = await pool.query<ConfirmationRow>(text, [...values]);
  const [row] = rows;
  if (row === undefined) return null;
  return {
    id: row.id,
    runId: row.run_id,
    digest: row.digest,
    person: { id: row.person_id, name: row.person_name },
    reason: row.reason,
    breaksGlass: row.breaks_glass,
    state: row.state,
    expiresAt: row.expires_at,
    begunAt: row.begun_at,
  };
}
