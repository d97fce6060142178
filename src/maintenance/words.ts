import { sayDuration } from '../shared/duration.ts';
import { sayLocalTime } from '../shared/local-time.ts';
import type { Window } from './window.ts';

/** Occasions on which users are told something; `before` comes several times. */
export const occasions = ['scheduled', 'before', 'started', 'late', 'ended', 'cancelled'] as const;
export type Occasion = (typeof occasions)[number];
export type Words = Readonly<Record<Occasion, string>>;

/** What words of the configuration may name in braces. */
export const wordNames = ['environment', 'from', 'to', 'duration', 'reason'] as const;

export const usualWords: Words = {
  scheduled: '🛠 *Maintenance of {environment}* is planned from {from} to {to}. {reason}',
  before: '🛠 *Maintenance of {environment}* begins {from} and lasts until {to}. {reason}',
  started: '🛠 *Maintenance of {environment} has begun* and lasts until {to}. {reason}',
  late: '🛠 *Maintenance of {environment} takes longer* than until {to}. You are told when it is over.',
  ended: '✅ *Maintenance of {environment} is over.*',
  cancelled: '∅ *Maintenance of {environment}* of {from} does not take place.',
};

/** Names in braces that mean nothing; they would stand in front of users as they are. */
export function unknownNames(words: string): readonly string[] {
  const named = [...words.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? '');
  const unknown = named.filter((name) => !(wordNames as readonly string[]).includes(name));
  return /[{}]/.test(words.replaceAll(/\{[^{}]*\}/g, '')) ? [...unknown, 'a single brace'] : unknown;
}

/** The words for places that know no format: the banner, a status page. */
export function sayPlainly(
  words: string,
  window: Pick<Window, 'environment' | 'from' | 'to' | 'zone' | 'reason'>,
): string {
  const { environment, from, to, zone, reason } = window;
  const values: Readonly<Record<string, string>> = {
    environment,
    from: sayLocalTime(from, zone),
    to: sayLocalTime(to, zone),
    duration: sayDuration(Date.parse(to) - Date.parse(from)),
    reason,
  };
  return words
    .replaceAll(/[*_~`]/g, '')
    .replaceAll(/\{([^{}]*)\}/g, (_all, name: string) => values[name] ?? '')
    .trim();
}
