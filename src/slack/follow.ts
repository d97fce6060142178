import type { Logger } from '../shared/logger.ts';
import { SlackBusy, SlackRefused } from './slack-calls.ts';
import { createWaker } from './waker.ts';

/** Something that goes on, and is told in its order. */
export interface Stream<T> {
  /** What has not been told yet, oldest first, a part of it. */
  read(): Promise<readonly T[]>;
  /** Those of one lane are told one after the other; lanes do not wait for each other. */
  lane(item: T): string;
  /** Before a lane's items are told. */
  begin?(items: readonly T[]): Promise<void>;
  /** May be called again for what was told already. */
  tell(item: T): Promise<void>;
  /** This one and all before it need not be read again. */
  moveBehind(item: T): Promise<void>;
}

/** Milliseconds. */
export interface Patience {
  /** Between two looks that nobody woke it for. */
  readonly poll: number;
  /** The first wait when Slack cannot be reached; doubles, up to a quarter of a minute. */
  readonly backoff: number;
}

interface Follower {
  start(): void;
  wake(): void;
  stop(): Promise<void>;
}

const longestBackoff = 15_000;

/** How long to wait after so many failures in a row: not at all when there were only too many calls, for those wait for their turn. */
export function pauseAfter(failures: number, error: unknown, { backoff }: Patience): number {
  if (error instanceof SlackBusy && error.limited) return 0;
  return Math.min(longestBackoff, backoff * 2 ** Math.min(failures - 1, 20));
}

/** For the log: what Slack said, without the stack of a call that failed as expected. */
export function reasonOf(error: unknown): object {
  return error instanceof SlackBusy || error instanceof SlackRefused ? { slack: error.message } : { err: error };
}

/** Tells a stream, for ever: what fails is tried again and nothing after it in its lane is told before. */
export function follow<T>(stream: Stream<T>, patience: Patience, logger: Logger): Follower {
  const waker = createWaker();
  let stopped = false;
  let ended: Promise<void> = Promise.resolve();

  async function tellAll(items: readonly T[]): Promise<void> {
    const untold = new Set(items);
    let behind = 0;
    const tellLane = async (lane: readonly T[]): Promise<void> => {
      await stream.begin?.(lane);
      for (const item of lane) {
        if (stopped) return;
        await stream.tell(item);
        untold.delete(item);
        const before = behind;
        while (behind < items.length && !untold.has(items[behind] as T)) behind += 1;
        const last = items[behind - 1];
        if (behind > before && last !== undefined) await stream.moveBehind(last);
      }
    };
    const lanes = Object.values(Object.groupBy(items, stream.lane)).map((lane) => tellLane(lane ?? []));
    const [failed] = (await Promise.allSettled(lanes)).filter((lane) => lane.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async function go(): Promise<void> {
    let failures = 0;
    while (!stopped) {
      try {
        const items = await stream.read();
        await tellAll(items);
        failures = 0;
        if (items.length === 0) await waker.wait(patience.poll);
      } catch (error) {
        if (stopped) return;
        failures += 1;
        const wait = pauseAfter(failures, error, patience);
        logger.warn({ wait, ...reasonOf(error) }, 'could not tell Slack, will try again');
        if (wait > 0) await waker.sleep(wait);
      }
    }
  }

  return {
    start() {
      ended = go();
    },
    wake: waker.wake,
    async stop() {
      stopped = true;
      waker.stop();
      await ended;
    },
  };
}
