import type { Desks } from '../commands/desks.ts';
import { createOutlooks } from '../src/runs/outlook.ts';
import { createRunbooks } from '../src/runs/runbook.ts';

const noChecklist = {
  kind: 'refused',
  code: 'unknown-run',
  message: 'No open run has a checklist.',
  advice: 'Nothing was changed.',
  findings: [],
} as const;

const noWindow = {
  kind: 'refused',
  code: 'wrong-use',
  message: 'There is no such window.',
  advice: 'Nothing was changed.',
  findings: [],
} as const;

const noSchedule = {
  kind: 'refused',
  code: 'wrong-use',
  message: 'There is no such schedule.',
  advice: 'Nothing was changed.',
  findings: [],
} as const;

/** Desks that keep everything in memory, for tests of what is in front of them. */
export function fakeDesks(over: Partial<Desks> = {}): Desks {
  return {
    checklists: {
      read: async () => null,
      show: async () => noChecklist,
      tick: async () => noChecklist,
      click: async () => noChecklist,
    },
    maintenance: {
      schedule: async () => noWindow,
      start: async () => noWindow,
      end: async () => noWindow,
      cancel: async () => noWindow,
      list: async () => [],
    },
    schedules: {
      list: async () => [],
      add: async () => noSchedule,
      change: async () => noSchedule,
    },
    outlooks: createOutlooks({ stepUp: null, watchMinutes: () => 0 }),
    runbooks: createRunbooks({ environments: new Map(), bot: null, links: new Map() }),
    oncall: {
      view: async (environment) => ({ environment, duties: null, note: null, contacts: [], pages: [] }),
      settle: async () => null,
    },
    ...over,
  };
}
