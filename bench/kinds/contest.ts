import type { Performed } from './perform.ts';

/** One step kind against what people write by hand for the same work. */
export interface Contest {
  /** The kind's name, with what tells it apart where there are several. */
  readonly name: string;
  /** Records of one pass. */
  readonly records: number;
  /** Brings everything back to how it was before a pass; not measured. */
  reset(): Promise<void>;
  ours(): Promise<Performed>;
  readonly rivals: { readonly [name: string]: () => Promise<void> };
  /** Throws where a pass left something out or did something else. */
  check(): Promise<void>;
}

/** Seconds of one pass of each, taken one after the other. */
export interface Round {
  readonly ours: number;
  readonly rivals: { readonly [name: string]: number };
}

export interface ContestFigures {
  readonly name: string;
  readonly records: number;
  /** Of one pass of ours. */
  readonly batches: number;
  readonly rounds: readonly Round[];
}

/** All of them by turns, each round beginning with another one; the first round warms up and does not count. */
export async function compete(contest: Contest, pairs: number, say: (line: string) => void): Promise<ContestFigures> {
  const rivals = Object.keys(contest.rivals);
  const rounds: Round[] = [];
  let batches = 0;
  const pass = async (name: string): Promise<number> => {
    await contest.reset();
    const began = performance.now();
    if (name === 'ours') batches = (await contest.ours()).batches;
    else await contest.rivals[name]?.();
    const seconds = (performance.now() - began) / 1000;
    await contest.check().catch((error: Error) => {
      throw new Error(`${contest.name}: the pass of “${name}” does not count: ${error.message}`);
    });
    return seconds;
  };
  const names = ['ours', ...rivals];
  for (let round = 0; round <= pairs; round += 1) {
    const seconds: { [name: string]: number } = {};
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) seconds[name] = await pass(name);
    const { ours = Number.NaN, ...others } = seconds;
    const told = names.map((name) => `${name} ${seconds[name]?.toFixed(2)} s`).join(', ');
    say(`${contest.name}, ${round === 0 ? 'warm-up' : `round ${round} of ${pairs}`}: ${told}`);
    if (round > 0) rounds.push({ ours, rivals: others });
  }
  await contest.reset();
  return { name: contest.name, records: contest.records, batches, rounds };
}
