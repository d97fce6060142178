import type { Clock } from '../shared/clock.ts';

/** The secrets that Slack's requests may be signed with: the one of now, and for a while the one before it. */
export interface SigningSecrets {
  accepted(): readonly string[];
  /** A request was signed with none of them: reads the secret again; true = there is a new one. */
  lookAgain(): Promise<boolean>;
}

/** Requests that were on their way when the secret changed are good for as long as Slack sends them again. */
const retirement = 15 * 60_000;
/** Forged requests must not make us read a file each. */
const betweenLooks = 5_000;

export function createSigningSecrets(first: string, readAgain: () => Promise<string>, clock: Clock): SigningSecrets {
  let current = first;
  let earlier: { readonly secret: string; readonly until: number } | null = null;
  let lookedAt = 0;
  const now = (): number => clock.now().getTime();
  return {
    accepted: () => [current, ...(earlier !== null && earlier.until > now() ? [earlier.secret] : [])],
    async lookAgain() {
      if (now() - lookedAt < betweenLooks) return false;
      lookedAt = now();
      const read = await readAgain().catch(() => current);
      if (read === current) return false;
      earlier = { secret: current, until: now() + retirement };
      current = read;
      return true;
    },
  };
}
