import { Worker } from 'node:worker_threads';
import type { Logger } from './shared/logger.ts';

const firstPause = 1_000;
const longestPause = 60_000;
const thread = new URL('./worker-thread.ts', import.meta.url);

/**
 * Keeps a worker in a thread of its own: what a step computes keeps nobody waiting for an answer, and what kills the thread
 * leaves the front alive. A worker that ends is started again, after longer and longer pauses, and takes its runs up.
 * Rejects when the first one does not come up.
 */
export async function keepWorker(logger: Logger): Promise<{ stop(): Promise<void> }> {
  let current = begin();
  let stopping = false;
  let wait = firstPause;
  let timer: NodeJS.Timeout | null = null;
  await current.up;
  const watch = (): void => {
    current.up.then(
      () => {
        wait = firstPause;
      },
      () => undefined,
    );
    void current.ended.then((why) => {
      if (stopping) return;
      logger.error({ why }, `the worker ended and is started again in ${wait} ms`);
      timer = setTimeout(() => {
        current = begin();
        watch();
      }, wait);
      wait = Math.min(longestPause, wait * 2);
    });
  };
  watch();
  return {
    async stop() {
      stopping = true;
      if (timer) clearTimeout(timer);
      current.worker.postMessage('stop');
      await current.ended;
    },
  };
}

interface Running {
  readonly worker: Worker;
  /** Rejects when it ends before it is up. */
  readonly up: Promise<void>;
  /** Resolves with the reason. */
  readonly ended: Promise<string>;
}

function begin(): Running {
  const worker = new Worker(thread);
  let why = '';
  worker.on('error', (error) => {
    why = error instanceof Error ? error.message : String(error);
  });
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', (code) => resolve(why || `exit code ${code}`));
  });
  const up = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    void ended.then((reason) => reject(new Error(reason)));
  });
  up.catch(() => undefined);
  return { worker, up, ended };
}
