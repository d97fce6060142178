import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { loadConfig } from './config/load-config.ts';
import { Failure } from './shared/failure.ts';
import { startWorker } from './worker.ts';

// Of this thread alone: where processors are short, people's requests are acknowledged before the next batch is computed.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
// The other side is `keep-worker.ts`: it is told `up`, and says when to stop.
const worker = await startWorker(await loadConfig()).catch((error: unknown) => {
  // What reaches the other thread is the message alone.
  throw error instanceof Failure ? new Error(`${error.message}\n${error.advice}`) : error;
});
parentPort?.once('message', () => {
  void worker.stop().finally(() => process.exit(0));
});
parentPort?.postMessage('up');
