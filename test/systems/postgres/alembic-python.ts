import { installAlembic } from '../../../sandbox/servers/alembic/alembic-program.ts';
import { createProgress } from '../../../sandbox/servers/progress.ts';
import { Failure } from '../../../src/shared/failure.ts';

/** A Python with alembic for tests, or null where it cannot be had: then the tests are skipped, visibly. */
export async function alembicPython(): Promise<string | null> {
  if (process.env.TAS_LIVE_SKIPPED) return null;
  const progress = createProgress(process.stderr);
  try {
    return await installAlembic(progress.task('alembic'));
  } catch (error) {
    if (process.env.REQUIRE_LIVE === '1' || !(error instanceof Failure)) throw error;
    process.stderr.write(`\nTESTS OF ALEMBIC ARE SKIPPED: ${error.message} ${error.advice}\n\n`);
    return null;
  } finally {
    progress.stop();
  }
}
