import type { GatePoint } from '../checklists/checklist-item.ts';
import type { FailureReport } from '../shared/failure.ts';
import { type Attempt, attemptPatiently, persist } from './attempt.ts';
import type { CarryOutDeps, Durable } from './execution.ts';
import type { StoredRun } from './run-records.ts';

type Held = { readonly paused: string } | { readonly failed: FailureReport };

/** The gates of a run's checklist, as one attempt comes by them. */
export interface WalkedGates {
  /** Null = it goes on. The pause ends by itself when the items are ticked. */
  pass(point: GatePoint): Promise<Held | null>;
}

interface Look {
  readonly waits: readonly { readonly text: string; readonly note: string }[];
  /** What was approved may not start any more. */
  readonly late: boolean;
}

const shownItems = 3;

/**
 * Where nothing of the run's checklist gates, no durable step is taken: a run that was begun before there were checklists
 * goes the way that it remembers. What gates never changes after the request.
 */
export async function openGates(deps: CarryOutDeps, run: StoredRun, durable: Durable): Promise<WalkedGates> {
  const { checklists, logger, clock } = deps;
  const points = checklists ? await persist(logger, () => checklists.pointsOf(run.id)) : [];
  const behind = new Set<GatePoint>();
  return {
    async pass(point) {
      if (!checklists || !points.includes(point) || behind.has(point)) return null;
      const look: Attempt<Look> = await durable.step(`checklist:${point}`, () =>
        attemptPatiently(logger, async () => ({
          waits: (await checklists.pass(run.id, point)).map(({ text, note }) => ({ text, note })),
          late: point === 'start' && isLate(run, clock.now()),
        })),
      );
      if ('failed' in look) return look;
      if (look.ok.late) return { failed: tooLate() };
      if (look.ok.waits.length > 0) return { paused: sayWaits(look.ok.waits) };
      behind.add(point);
      return null;
    },
  };
}

/** Nothing of it has begun, and the time for which the votes counted went by while it stood before its start. */
function isLate(run: StoredRun, now: Date): boolean {
  const fresh = run.steps.every(({ state }) => state === 'waiting');
  return fresh && run.votesNeeded > 0 && run.attempt > 1 && now.getTime() >= Date.parse(run.expiresAt);
}

function sayWaits(waits: Look['waits']): string {
  const named = waits
    .slice(0, shownItems)
    .map(({ text, note }) => `“${text}”${note === '' ? '' : ` (${note})`}`)
    .join(', ');
  const more = waits.length > shownItems ? ` and ${waits.length - shownItems} more` : '';
  return `its checklist waits for ${named}${more}; it goes on by itself when that is ticked`;
}

function tooLate(): FailureReport {
  return {
    code: 'expired',
    message: 'The approval ran out while it waited for its checklist.',
    advice: 'Nothing was changed. Ask for it again; tick the checklist in time.',
    retryable: false,
  };
}
