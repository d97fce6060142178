import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import type { LoadFigures, LoadTask, PhaseMessage } from '../load-process.ts';
import { nextMessage, startProcess } from './ask-process.ts';
import type { Contest } from './contest.ts';

/** Milliseconds with no migration, before the first one of a store and after the last one. */
const quiet = 8_000;
/** Passes are repeated until they took so many milliseconds together, but not too often: a p99 of few operations says nothing. */
const least = 6_000;
const mostPasses = 4;
const module = resolve(import.meta.dirname, '../load-process.ts');

export interface LoadResult {
  readonly rate: number;
  readonly figures: readonly LoadFigures[];
}

/**
 * Another process reads and writes single records of both stores at a fixed rate, while each contest's migration and then
 * its rivals go over the same records.
 */
export async function measureLoad(
  endpoints: Endpoints,
  contests: readonly Contest[],
  { records, rate }: Omit<LoadTask, 'endpoints'>,
  say: (line: string) => void,
): Promise<LoadResult> {
  for (const contest of contests) await contest.reset();
  const child = startProcess(module);
  try {
    const ready = nextMessage(child);
    child.send({ endpoints, records, rate } satisfies LoadTask);
    await ready;
    const enter = (phase: string | null): void => void child.send({ phase } satisfies PhaseMessage);
    await pause(quiet);
    for (const contest of contests) {
      const { name, ours, rivals } = contest;
      enter(`${name}: before`);
      await pause(quiet);
      await during(contest, ours, () => enter(`${name}: during ours`), enter);
      enter(`${name}: after`);
      await pause(quiet);
      for (const [who, work] of Object.entries(rivals)) {
        await during(contest, work, () => enter(`${name}: during ${who}`), enter);
      }
      say(`application load: ${name} done`);
    }
    const answer = nextMessage<LoadFigures[]>(child);
    child.send('end');
    return { rate, figures: await answer };
  } finally {
    child.kill();
  }
}

/** Does the work again and again, the state before brought back in between, in nobody's phase. */
async function during(
  { reset, check }: Contest,
  work: () => Promise<unknown>,
  begin: () => void,
  enter: (phase: null) => void,
): Promise<void> {
  for (let [pass, spent] = [0, 0]; pass < mostPasses && spent < least; pass += 1) {
    enter(null);
    await reset();
    await pause(quiet / 4);
    begin();
    const began = performance.now();
    await work();
    spent += performance.now() - began;
    enter(null);
    await check();
  }
}
