import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HTTPModuleFunctions, type HTTPReceiver } from '@slack/bolt';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { createSeenBefore } from './seen-before.ts';
import type { SigningSecrets } from './signing-secrets.ts';

/** Where Slack sends everything to; the app's manifest names it. */
export const requestPath = '/slack/events';
const windowMilliseconds = 5 * 60_000;

/**
 * Bolt knows one secret, and takes a copy of a request that is less than five minutes old for a new one. This verifies with every
 * secret that counts, refuses copies and requests dated in the future with 401, and signs what is good for Bolt, with a secret
 * that nobody outside of this process knows: what does not pass here, Bolt refuses.
 */
export function refuseReplays(
  receiver: HTTPReceiver,
  deps: {
    readonly secrets: SigningSecrets;
    /** Bolt's. */
    readonly innerSecret: string;
    readonly clock: Clock;
    readonly logger: Logger;
  },
): void {
  const { secrets, innerSecret, clock, logger } = deps;
  const seen = createSeenBefore(clock);
  const handOn = receiver.requestListener;
  const isReplay = async (request: IncomingMessage): Promise<boolean> => {
    await verify(request, secrets);
    const signature = request.headers['x-slack-signature'];
    const seconds = Number(request.headers['x-slack-request-timestamp']);
    if (typeof signature !== 'string') return false;
    const sent = seconds * 1000;
    const refused =
      sent > clock.now().getTime() + windowMilliseconds || seen.check(signature, sent + windowMilliseconds);
    if (!refused) signFor(request, innerSecret);
    return refused;
  };
  receiver.requestListener = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== requestPath) {
      handOn(request, response);
      return;
    }
    isReplay(request)
      .catch((error: unknown) => {
        if (HTTPModuleFunctions.isRawBodyError(error)) return error.statusCode;
        // Signed by nobody whom we know: Bolt verifies with its own secret and answers 401.
        return false;
      })
      .then((refused) => {
        if (refused === false) return handOn(request, response);
        logger.warn('refused a copy of a request, or one that could not be read');
        // The rest of a body that is too large is not waited for.
        response.writeHead(refused === true ? 401 : refused, { connection: 'close' }).end(() => request.destroy());
      })
      .catch((error: unknown) => {
        logger.error({ err: error }, 'a request could not be handed on');
        if (!response.headersSent) response.writeHead(500).end();
      });
  };
}

/** Throws when none of the secrets has signed it. The body is buffered on the request, where Bolt finds it again. */
async function verify(request: IncomingMessage, secrets: SigningSecrets): Promise<void> {
  const tried = new Set<string>();
  for (;;) {
    let why: unknown = new Error('not signed');
    for (const signingSecret of secrets.accepted().filter((secret) => !tried.has(secret))) {
      tried.add(signingSecret);
      try {
        const bodyLimit = HTTPModuleFunctions.defaultBodyLimit;
        await HTTPModuleFunctions.parseAndVerifyHTTPRequest({ enabled: true, signingSecret, bodyLimit }, request);
        return;
      } catch (error) {
        if (HTTPModuleFunctions.isRawBodyError(error)) throw error;
        why = error;
      }
    }
    if (!(await secrets.lookAgain())) throw why;
  }
}

function signFor(request: IncomingMessage & { rawBody?: Buffer }, secret: string): void {
  const signed = `v0:${String(request.headers['x-slack-request-timestamp'])}:${String(request.rawBody)}`;
  request.headers['x-slack-signature'] = `v0=${createHmac('sha256', secret).update(signed).digest('hex')}`;
}
