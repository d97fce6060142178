import type { NoticeRecords } from '../notices/notice.ts';
import type { Door } from '../runs/door.ts';
import type { Run, RunEvent } from '../runs/run.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { createCardPace } from './card-pace.ts';
import { follow, type Patience, type Stream } from './follow.ts';
import type { Outbox } from './outbox.ts';
import type { EventTeller } from './tell-event.ts';
import { merged, type NoticeTeller } from './tell-notice.ts';
import { standsInThread, tellingsOf } from './tellings.ts';

/** Milliseconds. */
export interface Pace extends Patience {
  /** Between two edits of one message while it only counts. */
  readonly edit: number;
  /** Between two edits of one message at stages. */
  readonly stage: number;
}

const usualPace: Pace = { edit: 5_000, stage: 1_200, poll: 15_000, backoff: 500 };
const eventsAtOnce = 200;
const noticesAtOnce = 50;

interface Told {
  readonly event: RunEvent;
  /** Null = it is gone. */
  readonly run: Run | null;
}

interface AnnounceDeps {
  readonly door: Pick<Door, 'events' | 'listen' | 'run'>;
  readonly outbox: Pick<Outbox, 'cursor' | 'moveCursor'>;
  readonly teller: EventTeller;
  readonly notices: Pick<NoticeRecords, 'list' | 'listen' | 'cursor' | 'moveCursor'>;
  readonly noticeTeller: NoticeTeller;
  /** Resolves when Slack takes another edit. */
  readonly mayEdit: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pace?: Partial<Pace>;
}

/**
 * Follows the events of all runs and the notices and tells Slack: what stands in channels first, what stands in threads behind it,
 * edits beside both. A cursor moves behind something only when all of it was told, and every post is made once by its name, so
 * that a crash anywhere leaves nothing out and says nothing twice.
 */
export function createAnnouncer(deps: AnnounceDeps): { start(): Promise<void>; stop(): Promise<void> } {
  const { door, notices, teller, clock, logger } = deps;
  const pace = { ...usualPace, ...deps.pace };
  const { mayEdit } = deps;
  const cards = createCardPace({ show: teller.card, find: (id) => door.run(id), mayEdit, clock, logger, pace });
  const threads = follow(threadStream(deps), pace, logger);
  const channels = follow(channelStream(deps, cards, threads.wake), pace, logger);
  const others = follow(noticeStream(deps), pace, logger);
  let ends: readonly (() => Promise<void>)[] = [];
  return {
    async start() {
      ends = await Promise.all([door.listen(channels.wake), notices.listen(others.wake)]);
      for (const follower of [channels, threads, others, cards]) follower.start();
    },
    async stop() {
      await Promise.all([
        ...ends.map((end) => end()),
        ...[channels, threads, others, cards].map((each) => each.stop()),
      ]);
    },
  };
}

/** The runs' messages, and what is posted beside them. */
function channelStream(
  { door, outbox, teller }: AnnounceDeps,
  cards: Pick<ReturnType<typeof createCardPace>, 'shown' | 'touch'>,
  moved: () => void,
): Stream<Told> {
  return {
    read: async () => withRuns(door, await door.events(await outbox.cursor('channel'), eventsAtOnce)),
    lane: ({ run }) => run?.environment ?? '',
    async begin(items) {
      for (const [run, events] of byRun(items)) {
        if (await teller.open(run)) cards.shown(run);
        else cards.touch(run, events);
      }
    },
    async tell({ event, run }) {
      if (run === null) return;
      for (const telling of tellingsOf(event, run)) {
        if (telling.kind !== 'card' && !standsInThread(telling)) await teller.tell(telling, run);
      }
    },
    async moveBehind({ event }) {
      await outbox.moveCursor('channel', event.id);
      moved();
    },
  };
}

/** Behind the channel's: a thread needs the message above it. */
function threadStream({ door, outbox, teller }: AnnounceDeps): Stream<Told> {
  return {
    async read() {
      const until = await outbox.cursor('channel');
      const events = await door.events(await outbox.cursor('thread'), eventsAtOnce);
      return withRuns(
        door,
        events.filter(({ id }) => id <= until),
      );
    },
    lane: ({ run }) => run?.environment ?? '',
    async tell({ event, run }) {
      if (run === null) return;
      for (const telling of tellingsOf(event, run)) {
        if (telling.kind !== 'card' && standsInThread(telling)) await teller.tell(telling, run);
      }
    },
    moveBehind: ({ event }) => outbox.moveCursor('thread', event.id),
  };
}

function noticeStream({
  notices,
  noticeTeller,
}: AnnounceDeps): Stream<{ id: number; tell: () => Promise<void>; lane: string }> {
  return {
    async read() {
      const found = await notices.list(await notices.cursor(), noticesAtOnce);
      const told = new Set(merged(found));
      return found.map((notice) => ({
        id: notice.id,
        lane: JSON.stringify(notice.to),
        tell: async () => (told.has(notice) ? noticeTeller.tell(notice) : undefined),
      }));
    },
    lane: ({ lane }) => lane,
    tell: ({ tell }) => tell(),
    moveBehind: ({ id }) => notices.moveCursor(id),
  };
}

async function withRuns(door: Pick<Door, 'run'>, events: readonly RunEvent[]): Promise<readonly Told[]> {
  const runs = new Map<string, Run | null>();
  for (const id of new Set(events.map((event) => event.runId))) runs.set(id, await door.run(id));
  return events.map((event) => ({ event, run: runs.get(event.runId) ?? null }));
}

function byRun(items: readonly Told[]): ReadonlyMap<Run, readonly RunEvent[]> {
  const events = new Map<Run, RunEvent[]>();
  for (const { event, run } of items) if (run !== null) events.set(run, [...(events.get(run) ?? []), event]);
  return events;
}
