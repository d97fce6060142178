/** How many records each collection got; one that got none is left out. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(collection: string, count: number): void {
    if (count === 0) return;
    this.#counts.set(collection, (this.#counts.get(collection) ?? 0) + count);
  }

  /** By collection, in the order of their names. */
  counts(): { readonly [collection: string]: number } {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
