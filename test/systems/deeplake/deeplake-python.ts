import { installDeeplake } from '../../../sandbox/servers/deeplake/deeplake-program.ts';
import { createProgress } from '../../../sandbox/servers/progress.ts';
import { Failure } from '../../../src/shared/failure.ts';

/** A Python with DeepLake for tests, or null where it cannot be had: then the tests are skipped, visibly. */
export async function deeplakePython(): Promise<string | null> {
  if (process.env.TAS_LIVE_SKIPPED) return null;
  const progress = createProgress(process.stderr);
  try {
    return await installDeeplake(progress.task('deeplake'));
  } catch (error) {
    if (process.env.REQUIRE_LIVE === '1' || !(error instanceof Failure)) throw error;
    process.stderr.write(`\nTESTS OF DEEPLAKE ARE SKIPPED: ${error.message} ${error.advice}\n\n`);
    return null;
  } finally {
    progress.stop();
  }
}
