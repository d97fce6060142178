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

/** What Slack says of a token that another one has taken the place of. */
const outOfDate = ['token_expired', 'invalid_auth', 'token_revoked', 'not_authed'];

/** Slack's client, whose calls wait for their turn; one that has no turn in time is `SlackBusy` and was not made. */
export class RatedClient extends webApi.WebClient {
  readonly #rates: Rates;
  readonly #readAgain: () => Promise<string>;
  #token: string;

  /** `readAgain` answers the token as it is now: a rotation has taken place when Slack no longer knows this one. */
  constructor(token: string, options: webApi.WebClientOptions, rates: Rates, readAgain: () => Promise<string>) {
    super(token, options);
    this.#token = token;
    this.#rates = rates;
    this.#readAgain = readAgain;
  }

  override async apiCall(method: string, options: Record<string, unknown> = {}): Promise<webApi.WebAPICallResult> {
    const used = this.#token;
    try {
      return await this.#callInTurn(method, options);
    } catch (error) {
      if (!(error instanceof webApi.WebAPIPlatformError) || !outOfDate.includes(error.data.error)) throw error;
      if (this.#token === used) this.#token = await this.#readAgain().catch(() => used);
      if (this.#token === used) throw error;
      return this.#callInTurn(method, options);
    }
  }

  async #callInTurn(method: string, options: Record<string, unknown>): Promise<webApi.WebAPICallResult> {
    const channel = messages.includes(method) && typeof options.channel === 'string' ? options.channel : null;
    const call = { method, channel, rank: rankOf(method, options) };
    if (!(await this.#rates.turn(call, patienceOf[method]))) {
      throw new SlackBusy(1, new Error('too many calls of ours'), true);
    }
    try {
      return await super.apiCall(method, { ...options, token: this.#token });
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
