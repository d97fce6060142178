import type { Browser } from 'playwright-core';
import { openBrowser } from '../../sandbox/console/browser.ts';
import { Failure } from '../../src/shared/failure.ts';

/** Null where Chromium cannot be had and nobody insists on it, or where no test will run. */
export async function browserIfThere(): Promise<Browser | null> {
  if (process.env.TAS_LIVE_SKIPPED) return null;
  try {
    return await openBrowser();
  } catch (error) {
    if (process.env.REQUIRE_LIVE === '1' || !(error instanceof Failure)) throw error;
    process.stderr.write(`\nTHE CONSOLE IS NOT TESTED: ${error.message} ${error.advice}\n`);
    return null;
  }
}
