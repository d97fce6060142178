import { requestersOf } from '../plans/requesters.ts';
import { type ChecklistBoard, type ChecklistSources, readView } from './board.ts';
import type { ChecklistItem, GatePoint } from './checklist-item.ts';
import { type ChecklistView, gatesAt, type ItemView } from './checklist-view.ts';
import {
  type ChecklistRefusal,
  decideGate,
  decideToggles,
  refuse,
  type Ticker,
  type Toggle,
  type Toggled,
  togglesOf,
} from './decide.ts';

/** Which checklist is meant: that of a run, or of the newest open run (of one environment, or of any). */
export interface ChecklistAsk {
  readonly runId: string | null;
  readonly environment: string | null;
}

export interface ChecklistTicked {
  readonly kind: 'ticked';
  readonly view: ChecklistView;
  /** Empty = it stood so already. */
  readonly changed: readonly Toggle[];
}

/** A click on boxes: which they are, how they were shown, and which are ticked there now. */
export interface BoxesClick {
  readonly runId: string;
  /** Names the boxes as they were shown. */
  readonly token: string;
  readonly boxes: readonly string[];
  readonly shown: readonly string[];
  readonly selected: readonly string[];
  /** Slack's time of the click. */
  readonly sentAt: string;
}

/** What people and messages ask of checklists. Rights are judged here. */
export interface ChecklistDesk {
  /** For messages in a channel; null = the run has none. */
  read(runId: string): Promise<ChecklistView | null>;
  show(ask: ChecklistAsk, person: Ticker): Promise<ChecklistView | ChecklistRefusal>;
  tick(ask: ChecklistAsk, toggle: Toggle, person: Ticker): Promise<ChecklistTicked | ChecklistRefusal>;
  click(click: BoxesClick, person: Ticker): Promise<ChecklistTicked | ChecklistRefusal>;
}

/** What a run asks at its gates. */
export interface ChecklistGates {
  /** Where the run waits for anything at all; never changes once it was asked for. */
  pointsOf(runId: string): Promise<readonly GatePoint[]>;
  /** Goes through the gate, or answers what it waits for. */
  pass(runId: string, point: GatePoint): Promise<readonly Pick<ItemView, 'id' | 'text' | 'who' | 'note'>[]>;
}

interface Deps extends ChecklistSources {
  readonly board: ChecklistBoard;
  /** Runs that are not over, of one environment or of all, newest first. */
  readonly openRuns: (environment: string | null) => Promise<readonly { readonly id: string }[]>;
}

export function createChecklistDesk(deps: Deps): ChecklistDesk {
  const { records, board } = deps;

  async function find({ runId, environment }: ChecklistAsk, person: Ticker): Promise<ChecklistView | ChecklistRefusal> {
    if (person.roles.length === 0) {
      return refuse('not-allowed', `${person.name} has no role here.`, 'Ask the platform team to add you to a group.');
    }
    const candidates = runId === null ? (await deps.openRuns(environment)).map(({ id }) => id) : [runId];
    for (const id of candidates) {
      const view = await readView(deps, id);
      if (view !== null) return view;
    }
    const where = environment === null ? '' : ` in ${environment}`;
    return refuse(
      'unknown-run',
      runId === null ? `No open run${where} has a checklist.` : `${runId} has no checklist.`,
      'Each migration opens one; `/tas checklist <run>` shows that of a run that is over.',
    );
  }

  async function answerOf(runId: string, toggled: Toggled | null): Promise<ChecklistTicked | ChecklistRefusal> {
    if (toggled !== null && (toggled.changed.length > 0 || toggled.refused !== null)) await board.refresh(runId);
    const view = await readView(deps, runId);
    if (toggled === null || view === null) return refuse('unknown-run', `${runId} has no checklist.`, '');
    return toggled.refused ?? { kind: 'ticked', view, changed: toggled.changed };
  }

  const requesters = async (runId: string): Promise<readonly string[]> => {
    const run = await deps.findRun(runId);
    return run === null ? [] : requestersOf(run);
  };

  return {
    read: (runId) => readView(deps, runId),
    show: find,
    async tick(ask, toggle, person) {
      const view = await find(ask, person);
      if ('kind' in view) return view;
      const requesterIds = await requesters(view.runId);
      const toggled = await records.change(view.runId, (now) => decideToggles(now, [toggle], person, requesterIds));
      return answerOf(view.runId, toggled);
    },
    async click({ runId, boxes, shown, ...click }, person) {
      const requesterIds = await requesters(runId);
      const toggled = await records.change(
        runId,
        (now, baseline, late) => {
          const toggles = late ? [] : togglesOf(boxes, baseline ?? shown, click.selected);
          return decideToggles(now, toggles, person, requesterIds);
        },
        { ...click, personId: person.id },
      );
      return answerOf(runId, toggled);
    },
  };
}

export function createChecklistGates(deps: ChecklistSources): ChecklistGates {
  const { records } = deps;
  return {
    async pointsOf(runId) {
      return gatesAt(((await records.find(runId))?.items ?? []) as readonly ChecklistItem[]);
    },
    async pass(runId, point) {
      const run = await deps.findRun(runId);
      if (run === null) return [];
      const backups = await deps.listBackups(run.environment);
      return (await records.change(runId, (now) => decideGate(now, run, backups, point))) ?? [];
    },
  };
}
