import type { Run, RunEvent } from '../runs/run.ts';
import { isOver } from '../runs/run-status.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { type Patience, pauseAfter, reasonOf } from './follow.ts';
import { tellingsOf } from './tellings.ts';
import { createWaker } from './waker.ts';

/** Merges edits: a message is edited at most as often as the pace allows, and always in the end. */
interface CardPace {
  /** The run's message shows it as it is now. */
  shown(run: Run): void;
  /** Its events make it look otherwise: soon where people have to act, at a stage a little later, while it counts when it is due. */
  touch(run: Run, events: readonly RunEvent[]): void;
  start(): void;
  stop(): Promise<void>;
}

interface Due {
  readonly at: number;
  /** Stages and ends go before mere counting. */
  readonly urgent: boolean;
}

interface DueEdits {
  put(runId: string, at: number, urgent: boolean): void;
  /** Of those that are due the urgent ones first, then those that have been waiting longest; null = none is. */
  next(): string | null;
  /** Takes one out. */
  take(runId: string): Due | null;
  /** When the first one is due; null = there is none. */
  soonest(): number | null;
}

function createDueEdits(now: () => number): DueEdits {
  const due = new Map<string, Due>();
  return {
    put(runId, at, urgent) {
      const before = due.get(runId);
      due.set(runId, { at: Math.min(at, before?.at ?? at), urgent: urgent || before?.urgent === true });
    },
    next() {
      const ready = [...due].filter(([, { at }]) => at <= now());
      ready.sort(([, a], [, b]) => Number(b.urgent) - Number(a.urgent) || a.at - b.at);
      return ready[0]?.[0] ?? null;
    },
    take(runId) {
      const taken = due.get(runId) ?? null;
      due.delete(runId);
      return taken;
    },
    soonest: () => (due.size === 0 ? null : Math.min(...[...due.values()].map(({ at }) => at))),
  };
}

export function createCardPace(deps: {
  readonly show: (run: Run) => Promise<void>;
  readonly find: (runId: string) => Promise<Run | null>;
  /** Resolves when another edit may be made: what is shown is read only then. */
  readonly mayEdit: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds between two edits of one message: while it only counts, and at stages. */
  readonly pace: Patience & { readonly edit: number; readonly stage: number };
}): CardPace {
  const { clock, pace, logger } = deps;
  const shownAt = new Map<string, number>();
  const now = () => clock.now().getTime();
  const due = createDueEdits(now);
  const waker = createWaker();
  let stopped = false;
  let ended: Promise<void> = Promise.resolve();

  function shown(run: Run): void {
    if (isOver(run.status)) shownAt.delete(run.id);
    else shownAt.set(run.id, now());
  }

  async function showNext(): Promise<void> {
    await deps.mayEdit();
    const runId = stopped ? null : due.next();
    const taken = runId === null ? null : due.take(runId);
    if (runId === null || taken === null) return;
    try {
      const run = await deps.find(runId);
      if (run === null) return;
      await deps.show(run);
      shown(run);
    } catch (error) {
      due.put(runId, taken.at, taken.urgent);
      throw error;
    }
  }

  async function go(): Promise<void> {
    let failures = 0;
    while (!stopped) {
      if (due.next() === null) {
        await waker.wait(Math.max(1, Math.min(pace.poll, (due.soonest() ?? Number.POSITIVE_INFINITY) - now())));
        continue;
      }
      try {
        await showNext();
        failures = 0;
      } catch (error) {
        if (stopped) return;
        failures += 1;
        logger.warn(reasonOf(error), 'could not edit a message, will try again');
        await waker.sleep(Math.max(pauseAfter(failures, error, pace), 1));
      }
    }
  }

  return {
    shown,
    touch(run, events) {
      const tellings = events.flatMap((event) => tellingsOf(event, run));
      if (!tellings.some(({ kind }) => kind === 'card')) return;
      const urgent = tellings.some((telling) => telling.kind === 'card' && telling.at === 'once');
      const moving = run.status === 'queued' || run.status === 'running';
      const last = shownAt.get(run.id);
      const since = last ?? now() - pace.edit;
      due.put(run.id, urgent && !moving ? now() : since + (urgent ? pace.stage : pace.edit), urgent);
      waker.wake();
    },
    start() {
      ended = go();
    },
    async stop() {
      stopped = true;
      waker.stop();
      await ended;
    },
  };
}
