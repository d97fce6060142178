import { parentPort } from 'node:worker_threads';
import { loadConfig } from './config/load-config.ts';
import { Failure } from './shared/failure.ts';
import { startWorker } from './worker.ts';

// The other side is `keep-worker.ts`: it is told `up`, and says when to stop.
const worker = await startWorker(await loadConfig()).catch((error: unknown) => {
  // What reaches the other thread is the message alone.
  throw error instanceof Failure ? new Error(`${error.message}\n${error.advice}`) : error;
});
parentPort?.once('message', () => {
  void worker.stop().finally(() => process.exit(0));
});
parentPort?.postMessage('up');
