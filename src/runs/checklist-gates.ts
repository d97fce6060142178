import type { GatePoint } from '../checklists/checklist-item.ts';
import type { FailureReport } from '../shared/failure.ts';
import { type Attempt, attemptPatiently, persist } from './attempt.ts';
import type { CarryOutDeps, Durable } from './execution.ts';
import type { StoredRun } from './run-records.ts';
import { windowGate } from './window-gate.ts';

type Held = { readonly paused: string } | { readonly failed: FailureReport };

/** The gates of a run's checklist, as one attempt comes by them. */
export interface WalkedGates {
  /** Null = it goes on. The pause ends by itself when the items are ticked. */
  pass(point: GatePoint): Promise<Held | null>;
}

interface Look {
  readonly waits: readonly { readonly text: string; readonly note: string }[];
  /** Why what was approved may not start any more; null = it may. */
  readonly late: string | null;
}

const shownItems = 3;

/**
 * Where nothing of the run's checklist gates, no durable step is taken: a run that was begun before there were checklists
 * goes the way that it remembers. What gates never changes after the request.
 */
export async function openGates(deps: CarryOutDeps, run: StoredRun, durable: Durable): Promise<WalkedGates> {
  const { checklists, logger } = deps;
  const points = checklists ? await persist(logger, () => checklists.pointsOf(run.id)) : [];
  const behind = new Set<GatePoint>();
  return {
    async pass(point) {
      if (!checklists || !points.includes(point) || behind.has(point)) return null;
      const look: Attempt<Look> = await durable.step(`checklist:${point}`, () =>
        attemptPatiently(logger, async () => ({
          waits: (await checklists.pass(run.id, point)).map(({ text, note }) => ({ text, note })),
          late: point === 'start' ? await sayLate(deps, run) : null,
        })),
      );
      if ('failed' in look) return look;
      if (look.ok.late !== null) return { failed: tooLate(look.ok.late) };
      if (look.ok.waits.length > 0) return { paused: sayWaits(look.ok.waits) };
      behind.add(point);
      return null;
    },
  };
}

/** Nothing of it has begun, and the time in which it might have went by while it stood before its start. */
async function sayLate({ clock, windowNow }: CarryOutDeps, run: StoredRun): Promise<string | null> {
  if (run.attempt === 1 || run.steps.some(({ state }) => state !== 'waiting')) return null;
  const { window } = run.plan;
  if (window === undefined) {
    return run.votesNeeded > 0 && clock.now().getTime() >= Date.parse(run.expiresAt) ? 'its approval ran out' : null;
  }
  const gate = windowGate(window, (await windowNow?.(window.id)) ?? 'to-come', clock.now());
  return 'why' in gate ? gate.why : null;
}

function sayWaits(waits: Look['waits']): string {
  const named = waits
    .slice(0, shownItems)
    .map(({ text, note }) => `“${text}”${note === '' ? '' : ` (${note})`}`)
    .join(', ');
  const more = waits.length > shownItems ? ` and ${waits.length - shownItems} more` : '';
  return `its checklist waits for ${named}${more}; it goes on by itself when that is ticked`;
}

function tooLate(why: string): FailureReport {
  return {
    code: 'expired',
    message: `While it waited for its checklist ${why}.`,
    advice: 'Nothing was changed. Ask for it again; tick the checklist in time.',
    retryable: false,
  };
}
