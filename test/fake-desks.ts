import type { Desks } from '../commands/desks.ts';

/** Desks that keep everything in memory, for tests of what is in front of them. */
export function fakeDesks(over: Partial<Desks> = {}): Desks {
  return {
    oncall: {
      view: async (environment) => ({ environment, duties: null, note: null, contacts: [], pages: [] }),
    },
    ...over,
  };
}
