import { Failure } from '../../shared/failure.ts';
import type { Fence } from '../system.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import type { Place } from './error.ts';
import { ensureJournalSchema } from './journal-schema.ts';

/** Takes the lock of the environment's fence until the transaction ends, and reads what stands there then. */
async function lockFence(transaction: GraphTransaction, fence: Fence): Promise<number> {
  // Two statements: only what is read after the lock is sure to be what the last holder committed.
  await transaction.run(
    `MERGE (f:_TasFence {environment: $environment}) ON CREATE SET f.token = $token
     SET f._tas_lock = true REMOVE f._tas_lock`,
    { environment: fence.environment, token: BigInt(fence.token) },
  );
  const statement = 'MATCH (f:_TasFence {environment: $environment}) RETURN f.token';
  return Number((await transaction.run(statement, { environment: fence.environment }))[0]?.[0]);
}

async function raiseFence(transaction: GraphTransaction, fence: Fence): Promise<void> {
  await transaction.run('MATCH (f:_TasFence {environment: $environment}) SET f.token = $token', {
    environment: fence.environment,
    token: BigInt(fence.token),
  });
}

/** Throws `fenced` when somebody with a later token has been here; holds off everybody else until the transaction ends. */
export async function passFence(transaction: GraphTransaction, fence: Fence, place: Place): Promise<void> {
  const token = await lockFence(transaction, fence);
  if (token > fence.token) {
    throw new Failure({
      code: 'fenced',
      message: `${place.name}: another process has taken over ${fence.environment}; this one may not write any more.`,
      advice: 'Nothing was changed by this call. The run goes on in the process that holds the lease.',
    });
  }
  if (token < fence.token) await raiseFence(transaction, fence);
}

/** Raises the token to at least this one; never lowers it. */
export async function advanceFence(connection: Connection, fence: Fence): Promise<void> {
  await ensureJournalSchema(connection);
  await connection.write(async (transaction) => {
    if ((await lockFence(transaction, fence)) < fence.token) await raiseFence(transaction, fence);
  });
}
