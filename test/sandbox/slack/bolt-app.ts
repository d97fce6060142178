import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App as BoltApp } from '@slack/bolt';
import bolt, { type Logger, type LogLevel } from '@slack/bolt';
import { type SimulatedSlack, type SlackOptions, startSlack } from '../../../sandbox/slack/slack.ts';

const { App, HTTPReceiver } = bolt;

/** Refusals and late answers are what is tested here: the log would be full of them. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  getLevel: () => 'error' as LogLevel,
  setLevel: () => undefined,
  setName: () => undefined,
};

export type Mode = 'http' | 'socket';

export interface BoltOnSlack {
  readonly slack: SimulatedSlack;
  readonly app: BoltApp;
  stop(): Promise<void>;
}

/** The real Bolt on a simulated workspace of its own. */
export async function startBolt(
  mode: Mode,
  listen: (app: BoltApp) => void,
  options: SlackOptions = {},
): Promise<BoltOnSlack> {
  const slack = await startSlack(options);
  const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true };
  const shared = { token: slack.botToken, clientOptions, logger: silent };
  const receiver = new HTTPReceiver({ signingSecret: slack.signingSecret, logger: silent });
  const app =
    mode === 'http'
      ? new App({ ...shared, receiver })
      : new App({ ...shared, socketMode: true, appToken: slack.appToken });
  listen(app);
  const server = (await app.start({ port: 0, host: '127.0.0.1' } as never)) as unknown as Server;
  // Bolt asks once by itself and waits for nobody: stopping before that is answered would be an unhandled rejection.
  await slack.waitFor('Bolt to know who it is', () => slack.calls.some(({ method }) => method === 'auth.test'));
  if (mode === 'http') slack.connectApp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`);
  return {
    slack,
    app,
    async stop() {
      await app.stop();
      await slack.stop();
    },
  };
}
