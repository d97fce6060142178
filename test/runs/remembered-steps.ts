import type { Durable } from '../../src/runs/execution.ts';

/** Thrown where the process is killed; nothing of that execution happens afterwards. */
export class Killed extends Error {}

/** Where an execution dies: after the work of a step, before or after its result was remembered. */
export interface Death {
  readonly at: number;
  readonly remembered: boolean;
}

interface Result {
  readonly name: string;
  /** JSON; null where the work answered nothing. */
  readonly value: string | null;
}

/**
 * The results of one workflow, as the engine's database keeps them. Every execution over them first gets back what was
 * remembered, and has to ask for the very same steps in the same order.
 */
export class RememberedSteps {
  readonly results: Result[] = [];

  get names(): string[] {
    return this.results.map(({ name }) => name);
  }

  /** A process that carries the workflow out, from its beginning, until it ends or dies. */
  execution(death: Death | null = null): Durable {
    let next = 0;
    let dead = false;
    return {
      step: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
        if (dead) throw new Killed();
        const at = next;
        next += 1;
        const known = this.results[at];
        if (known !== undefined) {
          if (known.name !== name) throw new Error(`step ${at} was ${known.name}, now it is ${name}`);
          return read<T>(known);
        }
        const value = await work();
        const result = { name, value: value === undefined ? null : JSON.stringify(value) };
        dead = death?.at === at;
        if (!dead || death?.remembered) this.results.push(result);
        if (dead) throw new Killed();
        return read<T>(result);
      },
    };
  }
}

/** Does something, once, as soon as a step of that name is remembered. */
export function afterStep(durable: Durable, name: string, work: () => Promise<unknown>): Durable {
  let did = false;
  return {
    async step(given, stepWork) {
      const result = await durable.step(given, stepWork);
      if (given === name && !did) {
        did = true;
        await work();
      }
      return result;
    },
  };
}

function read<T>({ value }: Result): T {
  return (value === null ? undefined : JSON.parse(value)) as T;
}
