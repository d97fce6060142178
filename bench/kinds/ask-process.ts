import { type ChildProcess, fork } from 'node:child_process';
import { heapOptions } from '../../sandbox/bot-process.ts';

/** Starts a module of the bench as a process of its own, with the bot's heap options. */
export function startProcess(module: string): ChildProcess {
  return fork(module, { execArgv: [...heapOptions, '--no-warnings'] });
}

/** Its next message; throws where it ends without one. */
export function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the process ended with ${code} before it answered`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}
