/** Milliseconds without an answer after which people would wonder whether anything happens. */
export const slowAfter = 2_000;

/**
 * Waits for work; says something, once, where it is not done in time. Does not answer before that was said. That it could
 * not be said is no reason to lose the answer.
 */
export async function whenSlow<T>(work: Promise<T>, milliseconds: number, say: () => Promise<void> | void): Promise<T> {
  let said: Promise<unknown> = Promise.resolve();
  const timer = setTimeout(() => {
    said = Promise.resolve()
      .then(say)
      .catch(() => undefined);
  }, milliseconds);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    await said;
  }
}
