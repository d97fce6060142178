import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
import type { System } from '../systems/system.ts';

/** How far the clock of each store is ahead of the bot's, in milliseconds. Stores that are down or cannot say are left out. */
export async function readClocks(
  systems: ReadonlyMap<string, Pick<System, 'clock'>>,
  clock: Clock,
): Promise<ReadonlyMap<string, number>> {
  const read = [...systems].map(async ([name, system]): Promise<readonly (readonly [string, number])[]> => {
    if (system.clock === undefined) return [];
    const before = clock.now().getTime();
    try {
      const there = (await system.clock()).getTime();
      // It was read somewhere in between.
      return [[name, there - (before + clock.now().getTime()) / 2]];
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return [];
    }
  });
  return new Map((await Promise.all(read)).flat());
}
