/** Work begins when no request has come in for so many turns of the event loop: it takes up one new connection a turn. */
const quietTurns = 4;
/** … or when it has waited for so many milliseconds: in a rush that does not end people get answers all the same. */
const longestWait = { click: 1_000, command: 2_500 } as const;
/** So many are at work at once … */
const mostAtWork = 3;
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
  let turns = 0;

  function look(): void {
    if (due || waiting[next()].length === 0 || atWork >= mostAtWork) return;
    due = true;
    setImmediate(() => {
      due = false;
      turns += 1;
      const sort = next();
      const [first] = waiting[sort];
      if (first && (turns >= quietTurns || performance.now() - first.since >= longestWait[sort])) {
        waiting[sort].shift();
        atWork += 1;
        first.start();
      }
      look();
    });
  }

  return async (sort, work) => {
    turns = 0;
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
