import type { Finding } from './finding.ts';
import type { Conflict } from './system.ts';

/** What an undo would leave as it is. */
export interface Kept {
  /** Fields, or records where it is about all of one, by reason. */
  readonly counts: { readonly [reason in Conflict['reason']]?: number };
  /** At most five, each as a short text of keys and fields; no values. */
  readonly samples: readonly string[];
}

/** Counts what an undo would leave, conflict by conflict, with few of them as samples. */
export class KeptTally {
  readonly #counts: { [reason in Conflict['reason']]?: number } = {};
  readonly #kept: string[] = [];
  readonly #missing: string[] = [];

  add({ collection, key, field, reason }: Pick<Conflict, 'collection' | 'key' | 'field' | 'reason'>): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    const samples = reason === 'missing' ? this.#missing : this.#kept;
    if (samples.length < 5) samples.push(`${collection} ${key} ${field}: ${reason}`);
  }

  kept(): Kept {
    return { counts: { ...this.#counts }, samples: [...this.#kept, ...this.#missing].slice(0, 5) };
  }

  /** As warnings: they do not refuse the plan, people should know. */
  findings(): Finding[] {
    const { missing = 0, ...reasons } = this.#counts;
    const kept = Object.values(reasons).reduce((total, count) => total + count, 0);
    const warn = (
      check: string,
      title: string,
      count: number,
      samples: readonly string[],
      advice: string,
    ): Finding[] => (count === 0 ? [] : [{ check, title, status: 'warning', count, samples, advice }]);
    return [
      ...warn(
        'kept-by-undo',
        'Changed or referred to since the run; stays as it is',
        kept,
        this.#kept,
        "Each is listed with its reason in the undo's report.",
      ),
      ...warn(
        'gone-before-undo',
        'Records of the run that are gone',
        missing,
        this.#missing,
        'Nothing is put back for these.',
      ),
    ];
  }
}
