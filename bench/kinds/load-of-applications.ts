import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import type { LoadFigures, LoadTask, PhaseMessage } from '../load-process.ts';
import { nextMessage, startProcess } from './ask-process.ts';
import type { Contest } from './contest.ts';

/** Milliseconds with no migration, before the first one of a store and after the last one. */
const quiet = 8_000;
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
    // The first connections, and what the servers compile for these statements.
    await pause(quiet / 2);
    for (const { name, ours, rivals, reset, check } of contests) {
      enter(`${name}: before`);
      await pause(quiet);
      for (const [who, work] of [['ours', ours] as const, ...Object.entries(rivals)]) {
        enter(null);
        await reset();
        await pause(quiet / 4);
        enter(`${name}: during ${who}`);
        await work();
        if (who === 'ours') {
          enter(`${name}: after`);
          await pause(quiet);
        }
        enter(null);
        await check();
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
