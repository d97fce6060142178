import type { Finding } from '../../finding.ts';
import type { Compared } from './vector-store.ts';

/** What was compared, by the name of the dataset. */
export interface Whole {
  readonly name: string;
  readonly compared: Compared;
}

/** How many vectors are embedded again and compared, in each dataset. */
export const sampleSize = 8;

const rules: readonly (readonly [
  check: string,
  title: string,
  count: (compared: Compared) => number,
  advice: string,
])[] = [
  [
    'vectors-there',
    'Every vector is in the new dataset, with its content as it is now',
    ({ missing, changed }) => missing + changed,
    'Retry: what came in since is brought over then.',
  ],
  ['ids-once', 'No id is there twice', ({ doubled }) => doubled, 'See which process writes the same rows twice.'],
  [
    'one-model',
    'All vectors are of the new model, in its dimension',
    ({ otherModel, otherDimension, empty }) => otherModel + otherDimension + empty,
    'Somebody else writes to the new dataset: find out who.',
  ],
  [
    'sample-alike',
    'A sample that was embedded again is like what was written',
    ({ unlike }) => unlike,
    'The endpoint answers otherwise than before: see whether its model was changed.',
  ],
];

/** The findings over all datasets that were compared. */
export function wholeFindings(all: readonly Whole[]): Finding[] {
  const found = rules.map(([check, title, count, advice]): Finding => {
    const bad = all.filter(({ compared }) => count(compared) > 0);
    const total = bad.reduce((sum, { compared }) => sum + count(compared), 0);
    const samples = bad.slice(0, 5).map(({ name, compared }) => `${name}: ${count(compared)}`);
    const frame = { check, title, count: total, samples };
    return total === 0 ? { ...frame, status: 'passed' } : { ...frame, status: 'failed', advice };
  });
  const more = all.filter(({ compared }) => compared.extra > 0);
  if (more.length === 0) return found;
  const stay: Finding = {
    check: 'vectors-beyond',
    title: 'Vectors that the old dataset does not have: others wrote them, and they stay',
    status: 'warning',
    count: more.reduce((sum, { compared }) => sum + compared.extra, 0),
    samples: more.slice(0, 5).map(({ name, compared }) => `${name}: ${compared.extra}`),
    advice: 'See whether writers have been switched to the new dataset already.',
  };
  return [...found, stay];
}
