import { takeDown } from '../sandbox/servers/sandbox.ts';

/** Takes the stores of this test run down, unless they are to be kept for the next one. */
export default async function tearDownLiveStores(): Promise<void> {
  const folder = process.env.TAS_TEST_SANDBOX;
  if (folder === undefined) return;
  if (process.env.TAS_TEST_KEEP) {
    process.stderr.write(
      `The test stores keep running. TAS_SANDBOX_DIR=${folder} npm run sandbox -- down ends them.\n`,
    );
    return;
  }
  await takeDown(folder);
}
