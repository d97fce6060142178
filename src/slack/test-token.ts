import { z } from 'zod';
import type { Secret } from '../shared/secret.ts';

const answer = z.looseObject({ ok: z.boolean(), error: z.string().optional() });
const patience = 10_000;

/** Asks Slack who the token belongs to. Answers what is against it, in Slack's own word; null = nothing. */
export async function testToken(apiUrl: string | undefined, token: Secret): Promise<string | null> {
  const url = new URL('auth.test', `${(apiUrl ?? 'https://slack.com/api').replace(/\/$/, '')}/`);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token.reveal()}` },
      signal: AbortSignal.timeout(patience),
    });
    // A rate limit says nothing against it.
    if (response.status === 429) return null;
    const { ok, error } = answer.parse(await response.json());
    return ok ? null : (error ?? 'unknown').slice(0, 60);
  } catch {
    return 'Slack does not answer';
  }
}
