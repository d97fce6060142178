import type { NoticeRecords } from '../notices/notice.ts';
import type { Door } from '../runs/door.ts';
import type { Run, RunEvent } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { createCardPace } from './card-pace.ts';
import type { Outbox } from './outbox.ts';
import { SlackBusy, SlackRefused } from './slack-calls.ts';
import type { EventTeller } from './tell-event.ts';
import { merged, type NoticeTeller } from './tell-notice.ts';
import { tellingsOf } from './tellings.ts';
import { createWaker } from './waker.ts';

/** Milliseconds. */
export interface Pace {
  /** Between two edits of one message while it only counts. */
  readonly edit: number;
  /** Between two edits of one message at stages. */
  readonly stage: number;
  /** Looks for events that nobody woke it for. */
  readonly poll: number;
  /** The first wait when Slack cannot be reached; doubles up to a minute. */
  readonly backoff: number;
}

const usualPace: Pace = { edit: 3_000, stage: 1_200, poll: 15_000, backoff: 500 };
const eventsAtOnce = 200;
const noticesAtOnce = 50;
const longestBackoff = 60_000;

/**
 * Follows the events of all runs and the notices and tells Slack. A cursor moves behind one only when all of it was told, and
 * every post is made once by its name, so that a crash anywhere leaves nothing out and says nothing twice.
 */
export function createAnnouncer(deps: {
  readonly door: Pick<Door, 'events' | 'listen' | 'run'>;
  readonly outbox: Pick<Outbox, 'cursor' | 'moveCursor'>;
  readonly teller: EventTeller;
  readonly notices: Pick<NoticeRecords, 'list' | 'listen' | 'cursor' | 'moveCursor'>;
  readonly noticeTeller: NoticeTeller;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pace?: Partial<Pace>;
}): { start(): Promise<void>; stop(): Promise<void> } {
  const { door, outbox, teller, notices, noticeTeller, logger, clock } = deps;
  const pace = { ...usualPace, ...deps.pace };
  const waker = createWaker();
  const cards = createCardPace({ show: teller.card, find: (id) => door.run(id), clock, pace });
  let stopped = false;
  let ended: Promise<void> = Promise.resolve();
  let stopListening: () => Promise<void> = async () => {};

  /** False when there was nothing to tell. */
  async function tellNotices(): Promise<boolean> {
    const found = await notices.list(await notices.cursor(), noticesAtOnce);
    const told = new Set(merged(found));
    for (const notice of found) {
      if (stopped) return true;
      if (told.has(notice)) await noticeTeller.tell(notice);
      await notices.moveCursor(notice.id);
    }
    return found.length > 0;
  }

  /** False when there was nothing to tell. */
  async function tellEvents(): Promise<boolean> {
    const events = await door.events(await outbox.cursor(), eventsAtOnce);
    if (events.length === 0) return false;
    const runs = await readRuns(door, events);
    await cards.touch(events, runs);
    for (const event of events) {
      if (stopped) return true;
      const run = runs.get(event.runId);
      for (const telling of run === undefined ? [] : tellingsOf(event, run)) {
        if (run !== undefined && telling.kind !== 'card') await teller.tell(telling, run);
      }
      await outbox.moveCursor(event.id);
    }
    return true;
  }

  async function follow(): Promise<void> {
    let failures = 0;
    while (!stopped) {
      try {
        const events = await tellEvents();
        const more = (await tellNotices()) || events;
        await cards.flush();
        failures = 0;
        if (!more) await waker.wait(Math.min(pace.poll, cards.nextDue()));
      } catch (error) {
        failures += 1;
        const asked = error instanceof SlackBusy ? error.seconds * 1000 : 0;
        const wait = Math.max(asked, Math.min(longestBackoff, pace.backoff * 2 ** (failures - 1)));
        const why =
          error instanceof SlackBusy || error instanceof SlackRefused ? { slack: error.message } : { err: error };
        logger.warn({ wait, ...why }, 'could not tell Slack, will try again');
        await waker.sleep(wait);
      }
    }
  }

  return {
    async start() {
      const ends = await Promise.all([door.listen(waker.wake), notices.listen(waker.wake)]);
      stopListening = async () => void (await Promise.all(ends.map((end) => end())));
      ended = follow();
    },
    async stop() {
      stopped = true;
      waker.stop();
      await stopListening();
      await ended;
    },
  };
}

async function readRuns(door: Pick<Door, 'run'>, events: readonly RunEvent[]): Promise<ReadonlyMap<string, Run>> {
  const runs = new Map<string, Run>();
  for (const id of new Set(events.map((event) => event.runId))) {
    const run = await door.run(id);
    if (run !== null) runs.set(id, run);
  }
  return runs;
}
