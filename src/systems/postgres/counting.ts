import type { StepContext } from '../system.ts';
import { isServerError } from './errors.ts';

const READ_TIMEOUT = 600_000;
/** Shorter reads would be given up before they begin. */
const LEAST_TIMEOUT = 250;

/** Counting in a preview that people wait for: it stops when the time is over, and then says that it is a lower bound. */
export class BoundedCount {
  readonly #end: number;
  /** False once something was left out. */
  exact = true;

  constructor(context: Pick<StepContext, 'countForMs'>) {
    this.#end = context.countForMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + context.countForMs;
  }

  /** Whether the time is over; what is asked before more would be counted. */
  isOver(): boolean {
    if (performance.now() < this.#end) return false;
    this.exact = false;
    return true;
  }

  /** For one statement of the count, in milliseconds. */
  get timeout(): number {
    return Math.min(READ_TIMEOUT, Math.max(LEAST_TIMEOUT, Math.ceil(this.#end - performance.now())));
  }

  /** Null where the server cut the statement off because the time was over. */
  async read<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (this.#end === Number.POSITIVE_INFINITY || !isServerError(error) || error.code !== '57014') throw error;
      this.exact = false;
      return null;
    }
  }
}
