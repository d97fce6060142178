import type { ChecklistItem, GatePoint } from './checklist-item.ts';
import { gatePoints } from './checklist-item.ts';
import type { StoredChecklist } from './checklist-records.ts';
import { see } from './evidence.ts';
import type { BackupFact, RunFacts } from './run-facts.ts';

/** How one item stands. */
export interface ItemView extends ChecklistItem {
  /** `absent` = not part of this run. */
  readonly state: 'ticked' | 'open' | 'absent';
  /** The person who ticked it, or took the tick away; null = the bot saw it, or nobody. */
  readonly by: { readonly id: string; readonly name: string } | null;
  /** ISO 8601; null = not known, or not yet. */
  readonly at: string | null;
  /** The evidence, or why it is open; empty = there is nothing to say. */
  readonly note: string;
  /** It was seen or ticked before, or it failed. */
  readonly lost: boolean;
  /** Its gate is behind the run: it stays as it is. */
  readonly passed: boolean;
}

/** A checklist as people see it. Derived from what is stored and from the run, and never stored as such. */
export interface ChecklistView {
  readonly runId: string;
  readonly environment: string;
  readonly title: string;
  /** How the run stands. */
  readonly status: string;
  readonly revision: number;
  readonly items: readonly ItemView[];
  /** Where the run stands still until the items of that gate are ticked; null = it does not. */
  readonly waitsAt: GatePoint | null;
}

/** Puts items, ticks and evidence together. Pure. */
export function viewChecklist(stored: StoredChecklist, run: RunFacts, backups: readonly BackupFact[]): ChecklistView {
  const paused = run.status === 'paused' ? stored.waitsAt : null;
  return {
    runId: stored.runId,
    environment: run.environment,
    title: run.plan.title,
    status: run.status,
    revision: stored.revision,
    items: stored.items.map((item) => viewItem(item, stored, run, backups)),
    waitsAt: paused,
  };
}

/** What a gate still waits for; empty = it is open. Items of other gates, and what is not part of the run, hold nothing. */
export function waitsFor(view: Pick<ChecklistView, 'items'>, point: GatePoint): readonly ItemView[] {
  return view.items.filter((item) => item.gates === point && item.state === 'open');
}

/** Whether any item makes a run wait there at all. */
export function gatesAt(items: readonly Pick<ChecklistItem, 'gates'>[]): readonly GatePoint[] {
  return gatePoints.filter((point) => items.some(({ gates }) => gates === point));
}

function viewItem(
  item: ChecklistItem,
  stored: StoredChecklist,
  run: RunFacts,
  backups: readonly BackupFact[],
): ItemView {
  const passed = item.gates !== 'nothing' && stored.passed[item.gates] !== undefined;
  const nobody = { by: null, at: null, passed };
  if (item.evidence !== null) {
    const evidence = see(item.evidence, run, backups);
    if (evidence.seen === 'absent') return { ...item, ...nobody, state: 'absent', note: '', lost: false };
    if (!evidence.seen) return { ...item, ...nobody, state: 'open', note: evidence.text, lost: evidence.lost };
    return { ...item, ...nobody, state: 'ticked', at: evidence.at, note: evidence.text, lost: false };
  }
  const tick = stored.ticks.find(({ itemId }) => itemId === item.id);
  if (tick === undefined) return { ...item, ...nobody, state: 'open', note: '', lost: false };
  const { by, at, ticked } = tick;
  return { ...item, passed, by, at, state: ticked ? 'ticked' : 'open', note: '', lost: !ticked };
}
