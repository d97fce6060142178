import type { JsonObject } from '../../shared/json.ts';
import type { Conflict } from '../system.ts';

/** A topic as it is made. `config` holds only what differs from the broker's defaults. */
export interface TopicShape {
  readonly partitions: number;
  readonly replication: number;
  readonly config: { readonly [name: string]: string };
}

/** A topic is made, or an empty one that the run made is removed. */
export interface TopicChange extends TopicShape {
  readonly did: 'make-topic' | 'drop-topic';
  readonly topic: string;
}

/** Settings of a topic; null = the broker's default holds. */
export interface ConfigChange {
  readonly did: 'config';
  readonly topic: string;
  readonly before: { readonly [name: string]: string | null };
  readonly after: { readonly [name: string]: string | null };
}

/** Where a group goes on reading, by partition; null = it has no position there. */
export interface OffsetsChange {
  readonly did: 'offsets';
  readonly group: string;
  readonly topic: string;
  readonly before: { readonly [partition: string]: string | null };
  readonly after: { readonly [partition: string]: string | null };
}

export type Change = TopicChange | ConfigChange | OffsetsChange;

/** What a batch is going to do: written before anything is done, and never changed. */
export interface Intent {
  readonly version: 1;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
  readonly missing: number;
  /** Where the next batch begins; null = nowhere. */
  readonly cursor: number | null;
}

/** What came of it. */
export interface Outcome {
  readonly cursor: number | null;
  readonly done: number;
  readonly kept: number;
  readonly missing: number;
  /** Entries that somebody changed after the intent was written, as `entriesOf` names them. */
  readonly lost: readonly string[];
}

/** The single things that a change writes: these are what is counted. */
export function entriesOf(change: Change): string[] {
  if (change.did === 'config') return Object.keys(change.after).map((name) => `${change.topic} ${name}`);
  if (change.did !== 'offsets') return [change.topic];
  return Object.keys(change.after).map((partition) => `${change.group} ${change.topic}/${partition}`);
}

/** For samples: what one change does, as records. */
export function imagesOf(change: Change): { collection: string; key: string; before: JsonObject; after: JsonObject } {
  if (change.did === 'config') {
    return { collection: 'topics', key: change.topic, before: change.before, after: change.after };
  }
  if (change.did === 'offsets') {
    const named = (values: OffsetsChange['after']): JsonObject =>
      Object.fromEntries(Object.entries(values).map(([partition, offset]) => [`partition ${partition}`, offset]));
    return {
      collection: 'groups',
      key: `${change.group} ${change.topic}`,
      before: named(change.before),
      after: named(change.after),
    };
  }
  const { partitions, replication, config } = change;
  const there = { partitions, replication, ...config };
  const gone = { partitions: null };
  const [before, after] = change.did === 'make-topic' ? [gone, there] : [there, gone];
  return { collection: 'topics', key: change.topic, before, after };
}
