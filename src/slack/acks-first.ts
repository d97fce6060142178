/** So many pieces of work begin in one turn of the event loop. */
const together = 2;
/** So many are at work at once … */
const mostAtWork = 6;
/** … not counting those that have been at it for so many milliseconds: they wait for something else than this process. */
const countsFor = 300;

/**
 * Begins work a little later, in order: requests that came in meanwhile are acknowledged before. In a rush everybody is
 * acknowledged in time, and answers follow.
 */
export function createAcksFirst(): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let due = false;
  let atWork = 0;

  function look(): void {
    if (due || waiting.length === 0 || atWork >= mostAtWork) return;
    due = true;
    setImmediate(() => {
      due = false;
      for (const start of waiting.splice(0, Math.min(together, mostAtWork - atWork))) {
        atWork += 1;
        start();
      }
      look();
    });
  }

  return async (work) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
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
