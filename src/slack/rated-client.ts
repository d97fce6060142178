import { webApi } from '@slack/bolt';
import type { Rates } from './rates.ts';
import { SlackBusy } from './slack-calls.ts';

/** Milliseconds: a trigger is good for three seconds, and people wait for who they are. Others wait as long as it takes. */
const patienceOf: Readonly<Record<string, number>> = {
  'views.open': 2_000,
  'views.push': 2_000,
  'usergroups.users.list': 20_000,
};
const messages = ['chat.postMessage', 'chat.update'];

/** Slack's client, whose calls wait for their turn; one that has no turn in time is `SlackBusy` and was not made. */
export class RatedClient extends webApi.WebClient {
  readonly #rates: Rates;

  constructor(token: string, options: webApi.WebClientOptions, rates: Rates) {
    super(token, options);
    this.#rates = rates;
  }

  override async apiCall(method: string, options: Record<string, unknown> = {}): Promise<webApi.WebAPICallResult> {
    const channel = messages.includes(method) && typeof options.channel === 'string' ? options.channel : null;
    const call = { method, channel, rank: rankOf(method, options) };
    if (!(await this.#rates.turn(call, patienceOf[method])))
      throw new SlackBusy(1, new Error('too many calls of ours'), true);
    try {
      return await super.apiCall(method, options);
    } catch (error) {
      if (error instanceof webApi.WebAPIRateLimitedError) this.#rates.rest(method, error.retryAfter * 1000);
      throw error;
    }
  }
}

/** New messages in a channel notify people; then come edits; what stands in threads can wait. */
function rankOf(method: string, options: Record<string, unknown>): number {
  if (method === 'chat.update') return 1;
  return method === 'chat.postMessage' && options.thread_ts !== undefined ? 2 : 0;
}
