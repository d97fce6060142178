import { useCallback, useSyncExternalStore } from 'react';

/** Where the page is: who looks, at what, with which thread beside it. It stands in the address, so that a reload stays there. */
export interface Location {
  /** A person's name. */
  readonly person: string;
  /** A channel's id, or `home`. */
  readonly channel: string;
  /** The message whose thread is open; null = none. */
  readonly thread: string | null;
}

function read(): string {
  return window.location.hash;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener);
  return () => window.removeEventListener('hashchange', listener);
}

function parse(hash: string, person: string, channel: string): Location {
  const parts = hash.replace(/^#\/?/, '').split('/');
  return { person: parts[0] || person, channel: parts[1] || channel, thread: parts[2] || null };
}

/** `person` and `channel` are where it begins. */
export function useLocation(person: string, channel: string): [Location, (next: Partial<Location>) => void] {
  const hash = useSyncExternalStore(subscribe, read);
  const go = useCallback(
    (next: Partial<Location>): void => {
      const to = { ...parse(read(), person, channel), ...next };
      window.location.hash = `/${to.person}/${to.channel}${to.thread === null ? '' : `/${to.thread}`}`;
    },
    [person, channel],
  );
  return [parse(hash, person, channel), go];
}
