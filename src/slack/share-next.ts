/**
 * Work whose answer is shared by all who ask before it begins: never twice at once for a key. What somebody is answered was
 * always begun after they asked.
 */
export function shareNext<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const underWay = new Map<string, { readonly running: Promise<unknown>; next: Promise<T> | null }>();

  function begin(key: string): Promise<T> {
    const mine = work(key);
    const entry = { running: mine.catch(() => undefined), next: null };
    underWay.set(key, entry);
    void entry.running.then(() => {
      if (entry.next === null && underWay.get(key) === entry) underWay.delete(key);
    });
    return mine;
  }

  return (key) => {
    const now = underWay.get(key);
    if (now === undefined) return begin(key);
    now.next ??= now.running.then(() => begin(key));
    return now.next;
  };
}
