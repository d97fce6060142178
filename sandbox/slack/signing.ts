import { createHmac } from 'node:crypto';

/** Slack's headers over a raw form body: `v0=` and the HMAC-SHA-256 of `v0:<seconds>:<body>`. */
export function signedHeaders(secret: string, body: string, seconds: number): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex');
  return {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': String(seconds),
    'x-slack-signature': `v0=${signature}`,
  };
}
