/** Waits that something else can end. */
interface Waker {
  wake(): void;
  /** Ends after so many milliseconds, at once when it was woken since the last wait, or when it is woken. */
  wait(milliseconds: number): Promise<void>;
  /** Ends after so many milliseconds or when stopped. */
  sleep(milliseconds: number): Promise<void>;
  stop(): void;
}

export function createWaker(): Waker {
  let woken = false;
  let stopped = false;
  let end: (() => void) | null = null;
  let onlyStop = false;

  function pause(milliseconds: number, stopOnly: boolean): Promise<void> {
    if (stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(finish, Math.min(milliseconds, 2 ** 31 - 1));
      onlyStop = stopOnly;
      end = finish;
      function finish(): void {
        clearTimeout(timer);
        end = null;
        resolve();
      }
    });
  }

  return {
    wake() {
      woken = true;
      if (!onlyStop) end?.();
    },
    async wait(milliseconds) {
      if (!woken) await pause(milliseconds, false);
      woken = false;
    },
    sleep: (milliseconds) => pause(milliseconds, true),
    stop() {
      stopped = true;
      end?.();
    },
  };
}
