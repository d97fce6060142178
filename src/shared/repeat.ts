/** Something that is done again and again. */
export interface Repeating {
  /** Begins nothing anew, and waits for what is under way. */
  stop(): Promise<void>;
}

/** Does the work now and then again and again, `every` milliseconds after its end: never twice at once. What it throws is told and not the end. */
export function repeat(every: number, work: () => Promise<void>, failed: (error: Error) => void): Repeating {
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  let underWay = Promise.resolve();
  const go = (): void => {
    underWay = work()
      .catch(failed)
      .then(() => {
        if (!stopped) timer = setTimeout(go, every).unref();
      });
  };
  go();
  return {
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      await underWay;
    },
  };
}
