import { sayDuration } from '../../../shared/duration.ts';
import type { Finding } from '../../finding.ts';
import type { DatasetState, Model, Surveyed } from './vector-store.ts';

/** What a request costs beside its texts, when nobody limits the rate: a guess for the time that is shown. */
const guessedPerMinute = 1_500;
/** Characters of a token, about, in texts of European languages. */
const charactersOfToken = 4;

/** One dataset with the one beside it, if that is there. */
export interface Candidate {
  readonly dataset: Surveyed;
  readonly target: string;
  readonly state: DatasetState | null;
  /** Rows of the old model, and those that are there already. */
  readonly rows: number;
  readonly there: number;
  readonly characters: number;
}

interface Rates {
  readonly from: string;
  readonly to: Model;
  readonly perMinute: number | null;
  readonly pricePerMillionTokens: number | null;
}

/** What it will take, as a person weighs it. Tokens are estimated, for only the endpoint counts them. */
export function costFinding(
  candidates: readonly Candidate[],
  { to, perMinute, pricePerMillionTokens }: Rates,
): Finding {
  const left = candidates.reduce((sum, { rows, there }) => sum + Math.max(0, rows - there), 0);
  const characters = candidates.reduce((sum, one) => sum + one.characters * leftPart(one), 0);
  const tokens = Math.ceil(characters / charactersOfToken);
  const rate = perMinute ?? guessedPerMinute;
  const time = sayDuration((left / rate) * 60_000);
  const pace = perMinute === null ? `at a guessed ${rate} vectors a minute` : `at ${rate} vectors a minute`;
  const price =
    pricePerMillionTokens === null
      ? 'the price of tokens is not told'
      : `about ${((tokens / 1e6) * pricePerMillionTokens).toFixed(2)} at ${pricePerMillionTokens} a million tokens`;
  return {
    check: 'embedding-cost',
    title: `Embedding ${left} vectors with ${to.model}: about ${tokens} tokens (estimated: ${charactersOfToken} characters each), ${price}; ${time} ${pace}`,
    status: 'warning',
    count: left,
    samples: [],
    advice: 'What is ingested meanwhile comes on top. Texts leave for the endpoint of the configuration.',
  };
}

/** The part of a dataset's rows that is not there yet. */
function leftPart({ rows, there }: Candidate): number {
  return rows === 0 ? 0 : Math.max(0, rows - there) / rows;
}

/** What stands in the way. */
export function obstacles(candidates: readonly Candidate[], { from, to }: Rates): Finding[] {
  const mixed = candidates.filter(({ dataset }) => !isOfOne(dataset, from, to));
  const doubled = candidates.filter(({ dataset }) => dataset.doubled > 0);
  const foreign = candidates.filter(({ state, dataset }) => state !== null && !fits(state, dataset.name, to));
  const found: Finding[] = [];
  const add = (check: string, title: string, status: Finding['status'], of: readonly Candidate[], advice: string) => {
    if (of.length === 0) return;
    found.push({
      check,
      title,
      status,
      count: of.length,
      samples: of.slice(0, 5).map(({ dataset }) => dataset.name),
      advice,
    });
  };
  add(
    'one-model',
    `Datasets with vectors of other models than ${from}: the step stops at them`,
    'warning',
    mixed,
    'Split them before this step (deeplake.split-by-model).',
  );
  add('ids-once', 'Datasets with an id more than once', 'failed', doubled, 'Take the older rows out first.');
  add(
    'names-free',
    'The name of the new dataset is taken by another one',
    'failed',
    foreign,
    'See whose it is; move it away.',
  );
  return found;
}

/** A dataset that was made for this one and this model: by an earlier run, or before a crash. */
export function fits({ mark, dimension }: DatasetState, source: string, to: Model): boolean {
  return mark?.source === source && mark.role === 'copy' && mark.model === to.model && dimension === to.dimension;
}

/** Rows of the old model, and at most rows that the new one has made already. */
export function isOfOne({ models }: Surveyed, from: string, to: Model): boolean {
  const dimensions = new Set(models.filter(({ model }) => model === from).map(({ dimension }) => dimension));
  const known = models.every(
    ({ model, dimension }) => model === from || (model === to.model && dimension === to.dimension),
  );
  return known && dimensions.size <= 1;
}
