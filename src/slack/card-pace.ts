import type { Run, RunEvent } from '../runs/run.ts';
import { isOver } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import { tellingsOf } from './tellings.ts';

/** Merges edits: a message is edited at most as often as the pace allows, and always in the end. */
interface CardPace {
  /** Shows the runs that events are about: the urgent ones now, the others when they are due. */
  touch(events: readonly RunEvent[], runs: ReadonlyMap<string, Run>): Promise<void>;
  /** Shows what is due. */
  flush(): Promise<void>;
  /** Milliseconds until the next edit is due; very many when none is. */
  nextDue(): number;
}

export function createCardPace(deps: {
  readonly show: (run: Run) => Promise<void>;
  readonly find: (runId: string) => Promise<Run | null>;
  readonly clock: Clock;
  /** Milliseconds between two edits of one message: while it only counts, and at stages. */
  readonly pace: { readonly edit: number; readonly stage: number };
}): CardPace {
  const { clock, pace } = deps;
  const shownAt = new Map<string, number>();
  const due = new Map<string, number>();
  const now = () => clock.now().getTime();

  async function show(run: Run): Promise<void> {
    await deps.show(run);
    due.delete(run.id);
    if (isOver(run.status)) shownAt.delete(run.id);
    else shownAt.set(run.id, now());
  }

  return {
    async touch(events, runs) {
      for (const run of runs.values()) {
        const tellings = events.filter((event) => event.runId === run.id).flatMap((event) => tellingsOf(event, run));
        const urgent = tellings.some((telling) => telling.kind === 'card' && telling.at === 'once');
        const moving = run.status === 'queued' || run.status === 'running';
        const last = shownAt.get(run.id);
        const from = last === undefined ? now() : last + (urgent ? pace.stage : pace.edit);
        if (urgent && (!moving || from <= now())) await show(run);
        else due.set(run.id, Math.min(from, due.get(run.id) ?? from));
      }
    },
    async flush() {
      for (const [id, at] of [...due]) {
        if (at > now()) continue;
        const run = await deps.find(id);
        if (run === null) due.delete(id);
        else await show(run);
      }
    },
    nextDue: () => Math.max(0, Math.min(...due.values(), Number.MAX_SAFE_INTEGER) - now()),
  };
}
