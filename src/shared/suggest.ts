/** The nearest known name, when it is near enough to be a slip of the fingers; null otherwise. */
export function suggest(typed: string, known: Iterable<string>): string | null {
  const wanted = typed.toLowerCase().slice(0, 80);
  let nearest: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of known) {
    const candidate = name.toLowerCase();
    const starts = wanted.length >= 3 && candidate.startsWith(wanted);
    const far = starts ? Math.min(1, distance(wanted, candidate)) : distance(wanted, candidate);
    if (far < least) {
      least = far;
      nearest = name;
    }
  }
  return nearest;
}

/** Changes of one letter, and swaps of two neighbours, that turn one word into the other. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
