import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { withinTime } from '../shared/within-time.ts';
import type { Load, System } from '../systems/system.ts';

/** How a run goes easy on stores and on its own database. Milliseconds; tests hand in shorter ones. */
export interface Pacing {
  sleep(milliseconds: number): Promise<void>;
  /** A store is asked for its load this often at most, whatever the number of runs. */
  readonly loadEvery: number;
  /** Between two looks while a store is above its limit. */
  readonly lookEvery: number;
  /** A store that stays above its limit for this long pauses the run. */
  readonly patience: number;
  /** The same while somebody else writes who should not: nothing is written meanwhile. */
  readonly intrusionPatience: number;
}

export const usualPacing: Pacing = {
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  loadEvery: 5_000,
  lookEvery: 5_000,
  patience: 10 * 60_000,
  intrusionPatience: 60_000,
};

/** Above this a run rests between its batches; above 1 it waits. */
const easyStrain = 0.7;
/** At strain 1 a rest is this many times as long as the batch before it. */
const longestRest = 3;
const mostRest = 30_000;
/** Slower than this, a store that is asked how it is counts as one that does not say. */
const answerWithin = 3_000;

/** The most strained of the stores that a run touches. */
export interface Strain {
  readonly strain: number;
  /** `3 sessions wait for locks in relational`; null when nothing is strained. */
  readonly why: string | null;
}

interface Known {
  readonly at: number;
  readonly load: Promise<Load>;
}

const known = new WeakMap<System, Known>();
const silent = new WeakSet<System>();
const idle: Load = { strain: 0, why: null };

/** Asks the stores how loaded they are. One that cannot say throttles nothing; that is logged once. */
export async function readStrain(
  systems: readonly System[],
  every: number,
  clock: Clock,
  logger: Logger,
): Promise<Strain> {
  const loads = await Promise.all(
    systems.map(async (system) => ({ system, ...(await readLoad(system, every, clock, logger)) })),
  );
  const worst = loads.reduce((most, load) => (load.strain > most.strain ? load : most), {
    ...idle,
    system: null as System | null,
  });
  if (worst.system === null || worst.strain <= easyStrain) return { strain: worst.strain, why: null };
  return { strain: worst.strain, why: `${worst.why ?? 'much to do'} in ${worst.system.name}` };
}

function readLoad(system: System, every: number, clock: Clock, logger: Logger): Promise<Load> {
  const now = clock.now().getTime();
  const last = known.get(system);
  if (last !== undefined && now - last.at < every) return last.load;
  const load = askLoad(system).catch((error: unknown) => {
    if (!silent.has(system)) logger.warn({ err: error, system: system.name }, 'a store does not say how loaded it is');
    silent.add(system);
    return idle;
  });
  known.set(system, { at: now, load });
  return load;
}

async function askLoad(system: System): Promise<Load> {
  if (!system.load) return idle;
  return withinTime(system.load(), answerWithin, () => {
    throw new Error(`no answer within ${answerWithin} ms`);
  });
}

/** How long to rest before the next batch: by the pace that people set, and by how strained the stores are. */
export function restAfter(batchMs: number, pace: number, strain: number): number {
  const byPace = pace < 1 ? batchMs * (1 / pace - 1) : 0;
  const share = Math.min(1, Math.max(0, (strain - easyStrain) / (1 - easyStrain)));
  return Math.min(mostRest, Math.max(byPace, batchMs * longestRest * share));
}

/** What people may choose from, slowest first. */
export const paces: readonly number[] = [0.125, 0.25, 0.5, 1, 2, 4];

/** How long a batch should take at a pace. */
export function targetMs(pace: number): number {
  return Math.min(4_000, Math.max(250, 1_000 * pace));
}
