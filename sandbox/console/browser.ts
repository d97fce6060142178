import { type Browser, chromium } from 'playwright-core';
import { chromiumEnvironment } from '../servers/chromium.ts';
import { silentProgress } from '../servers/progress.ts';
import { requireTool } from '../servers/toolbox.ts';

/** Chromium without a window; fetched once where this machine has none. Throws `precondition-failed` where it cannot be had. */
export async function openBrowser(): Promise<Browser> {
  const command = await requireTool('chromium', silentProgress.task('chromium'));
  const environment = Object.entries({ ...process.env, ...(await chromiumEnvironment(command)) });
  return chromium.launch({
    executablePath: command,
    // Its sandbox refuses root; what it opens is our own page.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    env: Object.fromEntries(environment.filter((entry): entry is [string, string] => entry[1] !== undefined)),
  });
}
