import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk';
import type { ClientBase } from 'pg';
import { runQueue, workflowId } from '../runs/run-queue.ts';
import type { Secret } from '../shared/secret.ts';

/** Puts runs into the workers' queue within a transaction of the caller. */
export interface RunQueueClient {
  enqueue(client: ClientBase, runId: string, attempt: number): Promise<void>;
  /** Whether an attempt waits for a worker, was taken by one, or will not be carried out (any more). */
  workOf(runId: string, attempt: number): Promise<'waiting' | 'taken' | 'dead'>;
  close(): Promise<void>;
}

/** Makes the schema `dbos` where it is missing, so that a front may enqueue before any worker has started. */
export async function openRunQueue(url: Secret): Promise<RunQueueClient> {
  const quiet = { info() {}, debug() {}, warn() {}, error() {} };
  await DBOS.migrate(url.reveal());
  const client = await DBOSClient.create({
    systemDatabaseUrl: url.reveal(),
    applicationName: runQueue.application,
    systemDatabasePoolSize: 2,
    logger: quiet,
  });
  return {
    async enqueue(pgClient, runId, attempt) {
      await client.enqueueInTransaction(
        pgClient,
        {
          queueName: runQueue.name,
          workflowName: runQueue.workflow,
          workflowID: workflowId(runId, attempt),
          appVersion: runQueue.applicationVersion,
        },
        runId,
        attempt,
      );
    },
    async workOf(runId, attempt) {
      const status = (await client.getWorkflow(workflowId(runId, attempt)))?.status;
      if (status === 'ENQUEUED' || status === 'DELAYED') return 'waiting';
      return status === 'PENDING' ? 'taken' : 'dead';
    },
    close: () => client.destroy(),
  };
}
