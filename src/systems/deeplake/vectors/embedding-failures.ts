import type { FailureCode } from '../../../shared/failure.ts';

const atOnce = 'Nothing was written with such an answer, and what was done before stands.';

/** What the worker's codes about embeddings mean to an operator. */
export const embeddingMeanings: Readonly<
  Record<string, readonly [code: FailureCode, advice: string, retryable?: true]>
> = {
  'wrong-dimension': ['precondition-failed', `Correct model or dimension. ${atOnce}`],
  'bad-answer': ['step-failed', `See whether that is an endpoint for embeddings. ${atOnce}`],
  'wrong-key': ['wrong-password', 'Correct the API key, then retry: it goes on where it is.'],
  'no-model': ['precondition-failed', 'Correct the name of the model, or load it at the endpoint.'],
  'refused-request': [
    'step-failed',
    'A text may be too long for the model, or the batch too large: try a smaller batch. What was done before stands.',
  ],
  mixed: ['precondition-failed', 'Split the dataset first (deeplake.split-by-model). Nothing was written for it.'],
  'endpoint-busy': ['unreachable', 'What was embedded stands. Retry when the endpoint serves again.', true],
};
