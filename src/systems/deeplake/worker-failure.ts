import { z } from 'zod';
import { Failure, type FailureCode } from '../../shared/failure.ts';
import { embeddingMeanings } from './vectors/embedding-failures.ts';

/** What the worker says of an operation that it could not carry out. Its text names datasets, never values. */
export const workerErrorSchema = z.strictObject({ code: z.string().max(60), message: z.string().max(2_000) });
export type WorkerErrorReport = z.infer<typeof workerErrorSchema>;

const meanings: Readonly<Record<string, readonly [code: FailureCode, advice: string, retryable?: true]>> = {
  ...embeddingMeanings,
  'wrong-use': ['wrong-use', 'Correct the parameters, then ask again.'],
  'invalid-statement': ['invalid-statement', 'Correct the check; the README of the system shows its form.'],
  'not-installed': [
    'precondition-failed',
    'Make a Python with the packages of src/systems/deeplake/worker/requirements.txt and name it as `python`.',
  ],
  missing: ['precondition-failed', 'See which datasets there are; correct the name or restore the dataset.'],
  corrupt: ['precondition-failed', 'Nothing was changed in it. Restore the dataset from a backup set, then ask again.'],
  duplicates: ['precondition-failed', 'Ids must be unique: remove the vectors that are there twice, then ask again.'],
  locked: ['environment-busy', 'Stop the service or job that writes to it, then try again.', true],
  exists: ['conflict', 'Nothing was overwritten. See whose it is; move it away or choose another name.'],
  conflict: ['conflict', 'What others wrote was kept. See what changed since; then ask again.'],
  unfit: ['precondition-failed', 'Fill or drop that field first: DeepLake cannot write a missing value.'],
  'corrupt-backup': ['corrupt-backup', 'The store was not touched. Use another backup set.'],
  changing: ['conflict', 'Somebody writes to it. Try again; with the writers stopped this does not happen.', true],
  unsupported: ['precondition-failed', 'Use a root on a volume, or another way that the guide names.'],
  unreachable: ['unreachable', 'Start the server or correct its address.', true],
  'wrong-password': ['wrong-password', 'Correct access key and secret key.'],
  'missing-rights': ['missing-rights', 'Give the user of the worker the rights of the guide on the root.'],
  'disk-full': ['disk-full', 'Make room and retry: what was half written is not used.'],
  memory: ['step-failed', 'Give the bot more memory, or try with smaller batches.', true],
  crashed: ['unreachable', 'It is started again with the next try; what was committed stands.', true],
  cancelled: ['cancelled', 'What was done so far stands; it goes on from there.'],
  'timed-out': ['timed-out', 'What was committed stands. See how loaded disk or bucket are; then retry.', true],
};

/** An error of the worker as a `Failure`; what it did not expect itself is a bug and no `Failure`. */
export function workerFailure(
  { system }: { readonly system: string },
  op: string,
  { code, message }: WorkerErrorReport,
): Error {
  const meaning = meanings[code];
  if (!meaning) {
    return new Failure({
      code: 'step-failed',
      message: `${system}: DeepLake could not do it: ${message}.`,
      advice: 'What was committed stands. See the log of the bot; then retry or undo.',
    });
  }
  const [failureCode, advice, retryable = false] = meaning;
  const what = message || (code === 'cancelled' ? 'stopped on request' : `${op} took too long and was ended`);
  return new Failure({ code: failureCode, message: `${system}: ${what}.`, advice, retryable });
}
