import type { Notices } from '../notices/notice.ts';
import type { Clock } from '../shared/clock.ts';
import { type ChecklistBoard, type ChecklistSources, createChecklistBoard } from './board.ts';
import type { ChecklistItem } from './checklist-item.ts';
import { type ChecklistDesk, type ChecklistGates, createChecklistDesk, createChecklistGates } from './desk.ts';
import { type ChecklistSettings, readChecklist } from './read-checklist.ts';

interface Deps extends ChecklistSources {
  readonly notices: Notices;
  readonly clock: Clock;
  readonly packs: readonly string[];
  /** What each environment's configuration says. */
  readonly environments: Readonly<
    Record<
      string,
      {
        readonly checklist: ChecklistSettings;
        readonly channel: string;
        readonly variables: { readonly [name: string]: string };
      }
    >
  >;
  /** Runs that are not over, of one environment or of all, newest first. */
  readonly openRuns: (environment: string | null) => Promise<readonly { readonly id: string }[]>;
}

/** Checklists as the rest of the bot uses them. */
export interface Checklists {
  readonly desk: ChecklistDesk;
  readonly board: ChecklistBoard;
  readonly gates: ChecklistGates;
  /** What is opened for a migration that is asked for there. Throws `invalid-file` with place and remedy. */
  items(environment: string): Promise<readonly ChecklistItem[]>;
}

export function openChecklists(deps: Deps): Checklists {
  const board = createChecklistBoard({
    ...deps,
    channelOf: (environment) => deps.environments[environment]?.channel ?? environment,
  });
  return {
    board,
    desk: createChecklistDesk({ ...deps, board }),
    gates: createChecklistGates(deps),
    async items(environment) {
      const settings = deps.environments[environment];
      return settings === undefined
        ? []
        : readChecklist(deps.packs, environment, settings.checklist, settings.variables);
    },
  };
}
