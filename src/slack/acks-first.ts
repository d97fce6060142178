/** Work begins when no request has come in for so many milliseconds: in a rush the next one is there sooner. */
const quietFor = 25;
/** … or when it has waited for so many milliseconds: in a rush that does not end people get answers all the same. */
const longestWait = { click: 1_000, command: 2_500 } as const;
/** So many are at work at once, in a rush and out of it … */
const mostAtWork = { rush: 1, quiet: 3 } as const;
/** … not counting those that have been at it for so many milliseconds: they wait for something else than this process. */
const countsFor = 300;

/** `click` goes before `command`: a window can be opened for three seconds after a click. */
export type AcksFirst = (sort: 'click' | 'command', work: () => Promise<void>) => Promise<void>;

interface Waiting {
  readonly since: number;
  readonly start: () => void;
}

/**
 * Begins work a little later, in order: requests that came in meanwhile are acknowledged before. In a rush everybody is
 * acknowledged in time, and answers follow.
 */
export function createAcksFirst(): AcksFirst {
  const waiting = { click: [] as Waiting[], command: [] as Waiting[] };
  const next = (): 'click' | 'command' => (waiting.click.length > 0 ? 'click' : 'command');
  let due = false;
  let atWork = 0;
  let lastRequest = 0;

  /** How long the next in line has to wait yet, in milliseconds; null = nobody is in line, or somebody has to end before. */
  function wait(): number | null {
    const sort = next();
    const [first] = waiting[sort];
    if (first === undefined || atWork >= mostAtWork.quiet) return null;
    const now = performance.now();
    const untilQuiet = lastRequest + quietFor - now;
    return atWork >= mostAtWork.rush ? untilQuiet : Math.min(untilQuiet, first.since + longestWait[sort] - now);
  }

  function look(): void {
    const left = wait();
    if (due || left === null) return;
    due = true;
    const begin = (): void => {
      due = false;
      if ((wait() ?? 1) <= 0) {
        atWork += 1;
        waiting[next()].shift()?.start();
      }
      look();
    };
    // A turn of the event loop at least: it takes up one new connection a turn.
    if (left > 0) setTimeout(begin, Math.ceil(left));
    else setImmediate(begin);
  }

  return async (sort, work) => {
    lastRequest = performance.now();
    await new Promise<void>((start) => {
      waiting[sort].push({ since: performance.now(), start });
      look();
    });
    let counts = true;
    const leave = (): void => {
      if (!counts) return;
      counts = false;
      atWork -= 1;
      look();
    };
    const timer = setTimeout(leave, countsFor);
    try {
      await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  };
}
