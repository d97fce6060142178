import { App } from '@slack/bolt';

/** The peer: an app that acknowledges and does nothing else. Its port and the signing secret come as arguments. */
const [port, signingSecret = '', token = '', slackApiUrl = ''] = process.argv.slice(2);
const app = new App({ signingSecret, clientOptions: { slackApiUrl }, authorize: async () => ({ botToken: token }) });
app.command(/.*/, ({ ack }) => ack());
app.action(/.*/, ({ ack }) => ack());
await app.start(Number(port));
process.send?.('ready');
