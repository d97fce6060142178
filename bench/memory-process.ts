import type { Endpoints } from '../sandbox/servers/endpoints.ts';
import { openSystem, type Performed, perform, type Step } from './kinds/perform.ts';
import { type Memory, readMemory } from './memory.ts';

/** What the parent asks this process for, once. */
export interface MemoryTask {
  readonly type: 'neo4j' | 'postgres';
  readonly endpoints: Endpoints;
  readonly step: Step;
}

export interface MemoryAnswer extends Performed {
  /** When everything was loaded and nothing done yet, and at the end. */
  readonly before: Memory;
  readonly after: Memory;
  readonly seconds: number;
  /** Longest time for which the event loop stood still, ms. */
  readonly blocked: number;
}

/** Watches how late a timer of 10 ms comes. */
function watchLoop(): () => number {
  let [last, most] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    most = Math.max(most, now - last - 10);
    last = now;
  }, 10);
  return () => {
    clearInterval(timer);
    return most;
  };
}

/** A process in which nothing happens but one step, so that the kernel's count of its memory is the step's. */
process.once('message', async ({ type, endpoints, step }: MemoryTask) => {
  const system = openSystem(type, endpoints);
  try {
    await system.checkHealth();
    const before = await readMemory(process.pid);
    const stop = watchLoop();
    const began = performance.now();
    const performed = await perform(system, step);
    const seconds = (performance.now() - began) / 1000;
    const answer: MemoryAnswer = {
      ...performed,
      before,
      after: await readMemory(process.pid),
      seconds,
      blocked: stop(),
    };
    process.send?.(answer);
  } finally {
    await system.close();
    process.disconnect();
  }
});
