import { createHash, createHmac, randomBytes } from 'node:crypto';

/** 256 bits, as they stand in an address or a cookie. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What `newSecret` makes, and nothing else. */
export function isSecret(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** As secrets are kept. They are random, so that a plain hash tells nothing. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Nonce and PKCE verifier follow from what only the browser holds: the database could not go on with a login. */
export function derive(browserSecret: string, what: 'nonce' | 'verifier'): string {
  return createHmac('sha256', browserSecret).update(what).digest('base64url');
}
