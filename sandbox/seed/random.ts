const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Pseudo-random draws that are the same on every machine and in every run for the same seed. Not for secrets. */
export interface Random {
  /** An unsigned integer of 32 bits. */
  next(): number;
  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number;
  /** From 0 (included) to 1 (excluded), with 32 bits. */
  fraction(): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A version 4 UUID in lower case. */
  uuid(): string;
  /** Lower-case hex digits of this many bytes; a multiple of 4. */
  hex(bytes: number): string;
}

/** 32 bits of a text or a number, well mixed (FNV-1a, then the finisher of MurmurHash 3). */
function mix(seed: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hexOf(word: number): string {
  return `${HEX[word >>> 24]}${HEX[(word >>> 16) & 255]}${HEX[(word >>> 8) & 255]}${HEX[word & 255]}`;
}

/** The generator sfc32, with its four words of state taken from the seed. */
export function createRandom(seed: string): Random {
  let [a, b, c, counter] = [mix(`${seed}/a`), mix(`${seed}/b`), mix(`${seed}/c`), 1];

  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) next();

  const fraction = () => next() / 0x1_0000_0000;
  const integer = (from: number, to: number) => from + Math.floor(fraction() * (to - from + 1));
  return {
    next,
    integer,
    fraction,
    chance: (probability) => fraction() < probability,
    pick: <T>(list: readonly T[]) => list[integer(0, list.length - 1)] as T,
    uuid() {
      const [first, second, third, fourth] = [hexOf(next()), hexOf(next()), next(), hexOf(next())];
      const variant = hexOf(((third & 0x3fffffff) | 0x80000000) >>> 0);
      return `${first}-${second.slice(0, 4)}-4${second.slice(5)}-${variant.slice(0, 4)}-${variant.slice(4)}${fourth}`;
    },
    hex(bytes) {
      let text = '';
      for (let i = 0; i < bytes; i += 4) text += hexOf(next());
      return text;
    },
  };
}
