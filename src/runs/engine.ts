import { DBOS } from '@dbos-inc/dbos-sdk';
import { Failure } from '../shared/failure.ts';
import type { Logger } from '../shared/logger.ts';
import type { Secret } from '../shared/secret.ts';
import { carryOut } from './carry-out.ts';
import type { CarryOutDeps, Durable } from './execution.ts';
import { runQueue } from './run-queue.ts';

interface EngineOptions {
  readonly databaseUrl: Secret;
  /** Stable and unique: after a restart under the same id its runs are taken up again. */
  readonly executorId: string;
  readonly deps: CarryOutDeps;
  readonly logger: Logger;
}

export interface Engine {
  stop(): Promise<void>;
}

/** Failures are answers of a step; what is thrown is the bot's own database being away, and is tried again for ≈ 2 minutes. */
const durable: Durable = {
  step: (name, work) =>
    DBOS.runStep(work, {
      name,
      retriesAllowed: true,
      intervalSeconds: 0.5,
      backoffRate: 2,
      maxAttempts: 9,
      shouldRetry: (error) => !(error instanceof Failure),
    }),
};

/** Starts this process as a worker: takes up its unfinished runs, then carries out what is queued. One per process. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { logger, deps } = options;
  DBOS.setConfig({
    name: runQueue.application,
    systemDatabaseUrl: options.databaseUrl.reveal(),
    applicationVersion: runQueue.applicationVersion,
    executorID: options.executorId,
    logger: {
      info: (entry) => logger.debug({ entry: String(entry) }, 'engine'),
      debug: () => undefined,
      warn: (entry) => logger.warn({ entry: String(entry) }, 'engine'),
      error: (entry) => logger.error({ entry: String(entry) }, 'engine'),
    },
  });
  DBOS.registerWorkflow((runId: string, attempt: number) => carryOut(deps, runId, attempt, durable), {
    name: runQueue.workflow,
    // A run that kills its worker again and again must not be given up silently after the default of 100.
    maxRecoveryAttempts: 10_000,
  });
  await DBOS.launch();
  await DBOS.registerQueue(runQueue.name, { workerConcurrency: 8, minPollingIntervalMs: 200 });
  return {
    async stop() {
      await DBOS.shutdown({ deregister: true });
    },
  };
}
