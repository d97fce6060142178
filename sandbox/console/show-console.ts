import { once } from 'node:events';
import { relative } from 'node:path';
import type { BotSession } from '../bot-session.ts';
import { serveConsole } from './serve-console.ts';

/** Serves the session's workspace as a page until Ctrl-C or SIGTERM. The session itself goes on. */
export async function showConsole(
  { slack, configPath }: Pick<BotSession, 'slack' | 'configPath'>,
  options: { readonly port: number; say(line: string): void },
): Promise<void> {
  const { say } = options;
  const page = await serveConsole(slack, options.port);
  say('');
  say(`The workspace is open at ${page.url}`);
  say('In another terminal the same bot answers, too:');
  say(`  export TAS_CONFIG=${relative(process.cwd(), configPath)}`);
  say('  npx tas status env:sandbox --as alice');
  say('Ctrl-C ends the bot and the page.');
  const ended = new AbortController();
  const { signal } = ended;
  await Promise.race([once(process, 'SIGINT', { signal }), once(process, 'SIGTERM', { signal })]);
  ended.abort();
  await page.close();
}
