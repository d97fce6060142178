import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeBotConfig } from './bot-config.ts';
import { type BotProcess, startBot } from './bot-process.ts';
import type { Beside } from './bot-systems.ts';
import type { Endpoints } from './servers/endpoints.ts';
import { chooseFreePort } from './servers/ports.ts';
import { type SimulatedSlack, startSlack } from './slack/slack.ts';

/** A simulated workspace and the bot in it, over real stores. */
export interface BotSession {
  readonly slack: SimulatedSlack;
  readonly configPath: string;
  readonly logPath: string;
  /** The bot's process now; another one after `restart`. */
  bot(): BotProcess;
  /** Starts the bot again, in the same place, after it was killed. */
  restart(): Promise<BotProcess>;
  stop(): Promise<void>;
}

/** Starts Slack, writes the bot's configuration into the folder and starts the bot. */
export async function startBotSession(
  folder: string,
  endpoints: Endpoints,
  mode: 'http' | 'socket' = 'http',
  beside: Beside | null = null,
): Promise<BotSession> {
  await mkdir(folder, { recursive: true });
  const slack = await startSlack();
  const port = mode === 'http' ? await chooseFreePort([]) : 0;
  const { apiUrl, botToken, appToken, signingSecret } = slack;
  const access = { mode, apiUrl, botToken, appToken, signingSecret, port };
  const configPath = await writeBotConfig(folder, endpoints, access, beside);
  const logPath = join(folder, 'bot.log');
  const start = (): Promise<BotProcess> => startBot({ configPath, logPath, port: mode === 'http' ? port : null });
  if (mode === 'http') slack.connectApp(`http://127.0.0.1:${port}/slack/events`);
  let bot = await start();
  if (mode === 'socket') await untilConnected(slack);
  return {
    slack,
    configPath,
    logPath,
    bot: () => bot,
    async restart() {
      bot = await start();
      if (mode === 'socket') await untilConnected(slack);
      return bot;
    },
    async stop() {
      await bot.kill('SIGTERM');
      await slack.stop();
    },
  };
}

/** The app connects by itself in Socket Mode, and nothing in the workspace changes when it does. */
async function untilConnected(slack: SimulatedSlack): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (slack.socketConnections === 0) {
    if (Date.now() > deadline) throw new Error('the bot did not connect to Slack within a minute; its log says why');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
