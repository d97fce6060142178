import { Failure } from '../../shared/failure.ts';
import type { Json, JsonObject } from '../../shared/json.ts';
import type { Conflict, DataModelVersion, Fence, Load, Standing } from '../system.ts';

/** Field values by name; an absent field has no entry. */
export type Fields = JsonObject;

/** What happened to one record. `before` null: it did not exist; `after` null: it is gone. */
export interface Change {
  readonly collection: string;
  readonly key: string;
  /** Fields that were written: all of them where the record was made or deleted. */
  readonly fields: readonly string[];
  readonly before: Fields | null;
  readonly after: Fields | null;
}

/** A journal batch's content; leaves the store sealed only. */
export interface BatchBody {
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
}

/** A batch as it lies in the journal. */
export interface StoredBatch {
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
  /** Sealed body, base64. */
  readonly body: string;
  /** What the caller was told; counts and references only. */
  readonly result: Json;
}

/** Everything that the store keeps. */
export interface Content {
  readonly collections: Map<string, Map<string, Fields>>;
  readonly journal: Map<string, StoredBatch>;
  readonly fences: Map<string, number>;
  dataModel: DataModelVersion | null;
}

export function batchName(batch: Pick<StoredBatch, 'runId' | 'stepId' | 'index'>): string {
  return `${batch.runId}/${batch.stepId}/${batch.index}`;
}

/** The order of keys everywhere: by code point, as UTF-8 bytes compare. */
export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A value as journals and references name it; null where there is none. */
export function asText(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Records, journal and fences of one memory system. */
export class MemoryStore {
  readonly name: string;
  content: Content = { collections: new Map(), journal: new Map(), fences: new Map(), dataModel: null };
  reachable = true;
  load: Load = { strain: 0, why: null };
  standing: readonly Standing[] = [];
  intrusions: readonly string[] = [];
  loseNextAnswer = false;
  /** How often `memory.fail-at` failed, by batch. */
  readonly failures = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string) {
    this.name = name;
  }

  /** Runs work while no other batch, backup or restore has the store. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(async () => {
      this.checkReachable();
      return work();
    });
    this.#last = run.catch(() => undefined);
    return run;
  }

  checkReachable(): void {
    if (this.reachable) return;
    throw new Failure({
      code: 'unreachable',
      message: `The system ${this.name} does not answer.`,
      advice: 'Nothing was changed. Bring it back and try again.',
      retryable: true,
    });
  }

  /** A collection's records by key; an unknown collection has none. */
  records(collection: string): ReadonlyMap<string, Fields> {
    return this.content.collections.get(collection) ?? new Map();
  }

  /** Keys in the order of the contract. */
  keys(collection: string): string[] {
    return [...this.records(collection).keys()].sort(byCodePoint);
  }

  /** Writes a record whole; null deletes it. An empty collection stays known. */
  write(collection: string, key: string, record: Fields | null): void {
    const records = this.content.collections.get(collection) ?? new Map<string, Fields>();
    this.content.collections.set(collection, records);
    if (record === null) records.delete(key);
    else records.set(key, structuredClone(record) as Fields);
  }

  checkFence(fence: Fence): void {
    if (fence.token >= (this.content.fences.get(fence.environment) ?? 0)) return;
    throw new Failure({
      code: 'fenced',
      message: `Another worker has taken ${fence.environment} over: ${this.name} refuses this one.`,
      advice: 'Nothing was changed by this batch. The run goes on in the other worker.',
    });
  }

  raiseFence(fence: Fence): void {
    const known = this.content.fences.get(fence.environment) ?? 0;
    this.content.fences.set(fence.environment, Math.max(known, fence.token));
  }
}
