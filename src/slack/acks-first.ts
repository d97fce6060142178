/** So many pieces of work begin in one turn of the event loop. */
const together = 2;

/**
 * Begins work a little later, in order: requests that came in meanwhile are acknowledged before. In a rush everybody is
 * acknowledged in time, and answers follow.
 */
export function createAcksFirst(): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let due = false;

  function begin(): void {
    for (const start of waiting.splice(0, together)) start();
    due = waiting.length > 0;
    if (due) setImmediate(begin);
  }

  return async (work) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (due) return;
      due = true;
      setImmediate(begin);
    });
    await work();
  };
}
