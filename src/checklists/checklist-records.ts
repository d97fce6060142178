import type { ChecklistItem, GatePoint } from './checklist-item.ts';

/** What a person did to one item. The newest of an item counts. */
export interface Tick {
  readonly itemId: string;
  readonly ticked: boolean;
  readonly by: { readonly id: string; readonly name: string };
  /** ISO 8601 */
  readonly at: string;
}

/** A checklist as it is kept. What the bot sees is not: that is read from the run each time. */
export interface StoredChecklist {
  readonly runId: string;
  /** As they were when the run was asked for: an edited file changes no run that was signed. */
  readonly items: readonly ChecklistItem[];
  /** The newest of each item. */
  readonly ticks: readonly Tick[];
  /** Gates that the run has gone through, and when: what gated there is ticked for good. */
  readonly passed: Readonly<Partial<Record<GatePoint, string>>>;
  /** The gate that the run was last found to wait at; null = none. */
  readonly waitsAt: GatePoint | null;
  /** Grows with each thing that was done here, refused clicks too. */
  readonly revision: number;
}

/** What one message showed to one person: the boxes of a click say what is ticked there, not what was clicked. */
export interface ClickedBoxes {
  /** Names the boxes as they were shown. */
  readonly token: string;
  readonly personId: string;
  /** Ids of the items that are ticked there now. */
  readonly selected: readonly string[];
  /** Slack's time of the click: a click that comes late says less than one that was here. */
  readonly sentAt: string;
}

/** What follows from a look at a checklist that nobody else can change meanwhile. */
export interface ChecklistChange<T> {
  readonly answer: T;
  readonly ticks?: readonly Omit<Tick, 'at'>[];
  /** Said in the run's thread, one each. */
  readonly said?: readonly string[];
  readonly passes?: GatePoint;
  readonly waitsAt?: GatePoint | null;
  /** Its messages are shown anew although nothing changed: a box that was not to be ticked is shown as it is. */
  readonly again?: boolean;
}

/** The look that a message was last given. */
export interface ShownLook {
  /** Counts its looks. */
  readonly number: number;
  readonly look: string;
}

/** Kept in the bot's own database. */
export interface ChecklistRecords {
  /** Null = the run has none. */
  find(runId: string): Promise<StoredChecklist | null>;
  /**
   * Looks and changes in one transaction, one after the other for each checklist. `decide` is pure: it may be called again.
   * With boxes, `baseline` is what this person's message showed: his own click before, or null where this is the first on
   * these boxes; `late` = a newer one was here already. Null = the run has none.
   */
  change<T>(
    runId: string,
    decide: (now: StoredChecklist, baseline: readonly string[] | null, late: boolean) => ChecklistChange<T>,
    boxes?: ClickedBoxes,
  ): Promise<T | null>;
  /** Paused at a gate → running again; false when it does not wait there. */
  resume(runId: string, text: string): Promise<boolean>;
  /** Runs whose checklist may look otherwise than it was last shown: they go on, or became what they were not. */
  restless(): Promise<readonly string[]>;
  shown(runId: string): Promise<ShownLook>;
  /** False when another process showed it meanwhile. `as` = how the run stands in it. */
  markShown(
    runId: string,
    before: number,
    look: ShownLook,
    as: { readonly status: string; readonly undoneBy: string | null },
  ): Promise<boolean>;
}
