import type { IncomingMessage, ServerResponse } from 'node:http';
import { HTTPModuleFunctions, type HTTPReceiver } from '@slack/bolt';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { createSeenBefore } from './seen-before.ts';

/** Where Slack sends everything to; the app's manifest names it. */
export const requestPath = '/slack/events';
const windowMilliseconds = 5 * 60_000;

/**
 * Bolt refuses unsigned and late requests, and takes a copy of a request that is less than five minutes old for a new
 * one. This refuses copies, and requests dated in the future, with 401 as well.
 */
export function refuseReplays(receiver: HTTPReceiver, signingSecret: string, clock: Clock, logger: Logger): void {
  const seen = createSeenBefore(clock);
  const handOn = receiver.requestListener;
  const isReplay = async (request: IncomingMessage): Promise<boolean> => {
    // Buffers the body on the request, where Bolt finds it again.
    await HTTPModuleFunctions.parseAndVerifyHTTPRequest(
      { enabled: true, signingSecret, bodyLimit: HTTPModuleFunctions.defaultBodyLimit },
      request,
    );
    const signature = request.headers['x-slack-signature'];
    const seconds = Number(request.headers['x-slack-request-timestamp']);
    if (typeof signature !== 'string') return false;
    const sent = seconds * 1000;
    return sent > clock.now().getTime() + windowMilliseconds || seen.check(signature, sent + windowMilliseconds);
  };
  receiver.requestListener = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== requestPath) {
      handOn(request, response);
      return;
    }
    isReplay(request)
      .catch((error: unknown) => {
        if (HTTPModuleFunctions.isRawBodyError(error)) return error.statusCode;
        // Not verified: Bolt verifies again and answers 401.
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
