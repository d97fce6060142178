import type { EventEmitter } from 'node:events';

/** Answers as soon as `find` answers something; looks again after every change. Throws when time is up. */
export type WaitFor = <T>(what: string, find: () => T | null | undefined | false, timeoutMs?: number) => Promise<T>;

/** `describe` says what there is instead, for the error. Time is the machine's own here, never the simulated one. */
export function createWaitFor(changes: EventEmitter, describe: () => string): WaitFor {
  return (what, find, timeoutMs = 30_000) =>
    new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        changes.off('change', look);
      };
      const look = (): void => {
        try {
          const found = find();
          if (found === null || found === undefined || found === false) return;
          finish();
          resolve(found);
        } catch (error) {
          finish();
          reject(error as Error);
        }
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${timeoutMs} ms for ${what}; ${describe()}`));
      }, timeoutMs);
      changes.on('change', look);
      look();
    });
}
