import type { Secret } from '../shared/secret.ts';
import type { Words } from './words.ts';

/** What the configuration says of one environment's maintenance. */
export interface MaintenanceSettings {
  /** The users' channels: names without #, or ids. */
  readonly channels: readonly string[];
  /** How long before a window users are told, in milliseconds. */
  readonly before: readonly number[];
  /** The zone of times that name none. */
  readonly zone: string;
  readonly words: Words;
  /** The configured system that holds maintenance mode; null = there is none. */
  readonly mode: string | null;
  /** Milliseconds before a window from which on votes on its maintenance mode are asked for. */
  readonly askAhead: number;
  readonly statusPage: StatusPageSettings | null;
}

export interface StatusPageSettings {
  readonly url: string;
  /** Proves who tells: name and value of a header. */
  readonly header: { readonly name: string; readonly value: Secret };
}
