import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { App as BoltApp } from '@slack/bolt';
import bolt from '@slack/bolt';
import { renderMessage } from '../../../sandbox/slack/render.ts';
import { type SimulatedSlack, startSlack } from '../../../sandbox/slack/slack.ts';

const { App, HTTPReceiver, LogLevel } = bolt;

/** What Bolt says of a request that was deliberately left unacknowledged is of no interest. */
const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

interface Started {
  readonly slack: SimulatedSlack;
  readonly app: BoltApp;
  stop(): Promise<void>;
}

async function start(mode: 'http' | 'socket', listen: (app: BoltApp) => void): Promise<Started> {
  const slack = await startSlack();
  const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } };
  const shared = { token: slack.botToken, clientOptions, logger: silent };
  const app =
    mode === 'http'
      ? new App({
          ...shared,
          receiver: new HTTPReceiver({ signingSecret: slack.signingSecret, logger: silent }),
        })
      : new App({ ...shared, socketMode: true, appToken: slack.appToken });
  listen(app);
  const server = (await app.start({ port: 0, host: '127.0.0.1' } as never)) as unknown as Server;
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

const greeting = [
  { type: 'section', text: { type: 'mrkdwn', text: 'Hello <@U0ALICE00>' } },
  {
    type: 'actions',
    elements: [{ type: 'button', action_id: 'wave', value: 'token-1', text: { type: 'plain_text', text: 'Wave' } }],
  },
];

describe.each(['http', 'socket'] as const)('the simulated Slack under the real Bolt over %s', (mode) => {
  it('takes a command, a click that opens a modal, and the submission through the app', async () => {
    const submitted: string[] = [];
    const started = await start(mode, (app) => {
      app.command('/tas', async ({ ack, respond, client, command }) => {
        await ack();
        await respond({ text: `you said ${command.text}`, response_type: 'ephemeral' });
        await client.chat.postMessage({ channel: 'tas-platform', text: 'hello', blocks: greeting as never });
      });
      app.action('wave', async ({ ack, client, body }) => {
        await ack();
        await client.views.open({
          trigger_id: (body as { trigger_id: string }).trigger_id,
          view: {
            type: 'modal',
            callback_id: 'why',
            title: { type: 'plain_text', text: 'Why?' },
            submit: { type: 'plain_text', text: 'Send' },
            blocks: [
              {
                type: 'input',
                block_id: 'reason',
                label: { type: 'plain_text', text: 'Reason' },
                element: { type: 'plain_text_input', action_id: 'text' },
              },
            ],
          },
        });
      });
      app.view('why', async ({ ack, view }) => {
        await ack();
        submitted.push(String(view.state.values.reason?.text?.value));
      });
    });
    try {
      const { slack } = started;
      const acknowledged = await slack.as('alice').command('/tas help me');
      expect(acknowledged.status).toBe(200);
      await slack.waitFor('the ephemeral answer', () =>
        slack
          .as('alice')
          .ephemerals()
          .find((message) => message.text === 'you said help me'),
      );
      expect(slack.as('bob').ephemerals()).toEqual([]);
      const message = await slack.waitFor('the post', () => slack.messages('tas-platform')[0]);
      expect(renderMessage(message)).toBe('Hello @alice\n[Wave]');
      expect(slack.as('alice').notifications()).toContain(message);
      await slack.as('bob').click(message, 'Wave');
      const view = await slack.waitFor('the modal', () => slack.as('bob').views()[0]);
      await slack.as('bob').submit(view, { text: 'because' });
      await slack.waitFor('the submission to close the modal', () => slack.as('bob').views().length === 0);
      expect(submitted).toEqual(['because']);
    } finally {
      await started.stop();
    }
  });

  it('shows operation_timeout to the person when the app does not acknowledge within three seconds', async () => {
    const started = await start(mode, (app) => {
      app.command('/tas', async () => undefined);
    });
    try {
      const acknowledged = await started.slack.as('alice').command('/tas help');
      expect(acknowledged.status).toBeNull();
      expect(started.slack.as('alice').ephemerals()[0]?.text).toContain('operation_timeout');
    } finally {
      await started.stop();
    }
  });
});

describe('requests that Slack did not send', () => {
  it.each(['unsigned', 'wrong-signature', 'late'] as const)(
    'get 401 when they are %s, and reach no handler',
    async (kind) => {
      let handled = 0;
      const started = await start('http', (app) => {
        app.command('/tas', async ({ ack }) => {
          handled += 1;
          await ack();
        });
      });
      try {
        expect(await started.slack.sendForged(kind, 'backup')).toBe(401);
        expect(handled).toBe(0);
      } finally {
        await started.stop();
      }
    },
  );
});
