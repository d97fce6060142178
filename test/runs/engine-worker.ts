import { startEngine } from '../../src/runs/engine.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openRunQueue } from '../../src/storage/run-queue-client.ts';
import { createRunStore } from '../../src/storage/run-store.ts';
import { createItemWorld } from './item-world.ts';

/**
 * A worker as a process of its own: `node engine-worker.ts <environment> [<batch>:<before|after>]`, the database's URL in
 * WORKER_DATABASE. It kills itself, without any farewell, at that moment of that batch.
 */
const [environment = '', death = ''] = process.argv.slice(2);
const url = new Secret(process.env.WORKER_DATABASE ?? '');
const logger = createLogger('silent');
const database = await openDatabase(url, logger);
const queue = await openRunQueue(url);
const records = createRunStore({ database, url, queue, clock: systemClock });
const { deps } = createItemWorld(environment, url.reveal(), records, (index, when) => {
  if (death === `${index}:${when}`) process.kill(process.pid, 'SIGKILL');
});
await startEngine({ databaseUrl: url, executorId: 'worker-test', deps, logger });
