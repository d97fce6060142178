import { z } from 'zod';
import { Failure } from '../../../shared/failure.ts';
import type { Secret } from '../../../shared/secret.ts';
import type { Fence } from '../../system.ts';
import type { Worker } from '../worker.ts';

/** What the kinds that work on vectors share. */
export interface VectorSetting {
  /** The configured name of the system. */
  readonly system: string;
  readonly worker: Worker;
  /** False where the root is a bucket, which knows no rename. */
  readonly folders: boolean;
  /** An endpoint that speaks OpenAI's `/v1/embeddings`; null = none is configured. */
  readonly embeddings: { readonly url: string; readonly apiKey?: Secret } | null;
  /** Throws `fenced` for a smaller token. */
  checkFence(fence: Fence): Promise<void>;
}

export const modelSchema = z.strictObject({
  model: z.string().min(1).max(200).describe('The name of the model as the endpoint knows it.'),
  dimension: z.number().int().min(1).max(65_536).describe('How many numbers a vector of it has.'),
});
export type Model = z.infer<typeof modelSchema>;

/** What the one who made a dataset wrote into it. */
const markSchema = z.object({
  by: z.string(),
  source: z.string(),
  /** `copy` = of all that the source holds; `part` = what was split off it. */
  role: z.enum(['copy', 'part']),
  model: z.string(),
});
export type Mark = z.infer<typeof markSchema>;

const surveySchema = z.object({
  datasets: z.array(
    z.object({
      name: z.string(),
      rows: z.number(),
      doubled: z.number(),
      dimension: z.number().nullable(),
      models: z.array(z.object({ model: z.string(), dimension: z.number(), rows: z.number(), characters: z.number() })),
    }),
  ),
  exact: z.boolean(),
});
export type Surveyed = z.infer<typeof surveySchema>['datasets'][number];

const stateSchema = z
  .object({
    rows: z.number(),
    dimension: z.number().nullable(),
    version: z.string(),
    ours: z.boolean(),
    mark: markSchema.nullable().catch(null),
  })
  .nullable();
export type DatasetState = NonNullable<z.infer<typeof stateSchema>>;

const carriedSchema = z.object({
  at: z.number(),
  /** Rows that were found and not done any more. */
  todo: z.number(),
  rows: z.number(),
  there: z.number(),
  version: z.string(),
  embedded: z.number(),
  copied: z.number(),
  changed: z.number(),
  tokens: z.number(),
  busy: z.object({ why: z.string(), waitMs: z.number() }).nullable(),
});
export type Carried = z.infer<typeof carriedSchema>;

const comparedSchema = z.object({
  rows: z.number(),
  expected: z.number(),
  missing: z.number(),
  extra: z.number(),
  changed: z.number(),
  doubled: z.number(),
  otherModel: z.number(),
  otherDimension: z.number(),
  empty: z.number(),
  sampled: z.number(),
  unlike: z.number(),
  worst: z.number().nullable(),
});
export type Compared = z.infer<typeof comparedSchema>;

const pruned = z.object({ removed: z.number(), stays: z.number() });
const nothing = z.object({});

/** Rows to bring from one dataset to another; `to` null = with their vectors as they are. */
export interface Carrying {
  readonly source: string;
  readonly target: string;
  readonly to: Model | null;
  /** The model whose rows are embedded anew; absent = any. */
  readonly from?: string;
  /** Only rows of this model and dimension. */
  readonly only?: Model;
  /** Makes the target where it is missing, with this mark. */
  readonly create?: Mark;
  readonly batch: number;
  /** Run and step, for the commits. */
  readonly by: string;
}

interface Window {
  readonly at: number;
  readonly end: number | null;
  readonly limit: number;
  /** Counts what is to do and writes nothing. */
  readonly dry?: boolean;
}

/** `new`, which lies at `other`, comes under the name, and `old` gets the name `final`; both by their folder's number. */
export interface Swapping {
  readonly dataset: string;
  readonly other: string;
  readonly final: string;
  readonly old: string;
  readonly new: string;
}

/** Everything that is asked of the worker about vectors. */
export interface VectorStore {
  names(pattern: string, signal: AbortSignal): Promise<string[]>;
  survey(names: readonly string[], signal: AbortSignal, untilMs?: number): Promise<z.infer<typeof surveySchema>>;
  /** Null = there is no such dataset. */
  state(name: string, signal: AbortSignal): Promise<DatasetState | null>;
  /** Null = the endpoint serves; else why not now. Throws where it never will: an unknown model, a wrong dimension. */
  probe(to: Model, signal: AbortSignal): Promise<string | null>;
  carry(carrying: Carrying, window: Window, signal: AbortSignal): Promise<Carried>;
  prune(
    target: string,
    sources: readonly string[],
    options: { readonly onlyOurs: boolean; readonly by: string },
    signal: AbortSignal,
  ): Promise<z.infer<typeof pruned>>;
  compare(
    target: string,
    sources: readonly string[],
    options: { readonly to?: Model; readonly only?: Model; readonly exact?: boolean; readonly sample?: number },
    signal: AbortSignal,
  ): Promise<Compared>;
  /** The folder's own number, which stays with it when it gets another name; null = there is none. */
  numberOf(name: string, signal: AbortSignal): Promise<string | null>;
  /** In one step; done again it finds what is done. */
  swap(swapping: Swapping, signal: AbortSignal): Promise<void>;
  /** To a name under which nothing may stand. */
  move(from: string, to: string, signal: AbortSignal): Promise<void>;
  remove(dataset: string, signal: AbortSignal): Promise<void>;
}

/** Models that this process has asked for already, and whether they shorten their vectors only when they are asked to. */
const asked = new WeakMap<Worker, Map<string, boolean>>();

/** Seconds after which a batch that embeds begins nothing new. */
const embedForSeconds = 3;

export function vectorStore({ system, worker, embeddings }: VectorSetting): VectorStore {
  const shortens = asked.get(worker) ?? new Map<string, boolean>();
  asked.set(worker, shortens);
  const keyOf = ({ model, dimension }: Model): string => `${model} ${dimension}`;
  const endpoint = (to: Model) => {
    if (embeddings === null) throw noEndpoint(system);
    const key = embeddings.apiKey?.reveal();
    return { url: embeddings.url, ...(key ? { key } : {}), shortens: shortens.get(keyOf(to)) ?? false };
  };
  const probe = async (to: Model, signal: AbortSignal): Promise<string | null> => {
    const answer = z.object({ why: z.string().nullable(), shortens: z.boolean() });
    const found = await worker.call('vectors-probe', { to, endpoint: endpoint(to) }, answer, { signal });
    if (found.why === null) shortens.set(keyOf(to), found.shortens);
    return found.why;
  };
  const known = async (to: Model | null | undefined, signal: AbortSignal): Promise<string | null> =>
    !to || embeddings === null || shortens.has(keyOf(to)) ? null : probe(to, signal);
  return {
    probe,
    async names(datasets, signal) {
      const answer = z.object({ names: z.array(z.string()) });
      const { names } = await worker.call('vectors-names', { datasets }, answer, { signal });
      // What lies beside another dataset is no dataset of its own, unless the pattern says so.
      return datasets.includes('--') ? names : names.filter((name) => !name.includes('--'));
    },
    survey: (names, signal, untilMs) =>
      worker.call('vectors-survey', { names, untilMs: untilMs ?? null }, surveySchema, { signal }),
    state: (name, signal) => worker.call('vectors-state', { name }, stateSchema, { signal }),
    async carry(carrying, window, signal) {
      const why = await known(carrying.to, signal);
      if (why !== null && carrying.to) return stuck(window, why);
      const { only, ...rest } = carrying;
      const params = {
        ...rest,
        ...window,
        ...(only ? { only: only.model, dimension: only.dimension } : {}),
        endpoint: carrying.to && embeddings ? endpoint(carrying.to) : null,
        seconds: embedForSeconds,
      };
      return worker.call('vectors-carry', params, carriedSchema, { signal });
    },
    prune: (target, sources, options, signal) =>
      worker.call('vectors-prune', { target, sources, ...options }, pruned, { signal }),
    async compare(target, sources, { only, sample, ...options }, signal) {
      const narrowed = only ? { only: only.model, dimension: only.dimension } : {};
      const why = sample ? await known(options.to, signal) : null;
      const sampled = options.to && sample && why === null ? { sample, endpoint: endpoint(options.to) } : {};
      const params = { target, sources, ...options, ...narrowed, ...sampled };
      return worker.call('vectors-compare', params, comparedSchema, { signal });
    },
    async numberOf(name, signal) {
      const answer = z.object({ folders: z.array(z.string().nullable()).length(1) });
      const { folders } = await worker.call('identify', { names: [name] }, answer, { signal });
      return folders[0] ?? null;
    },
    swap: async (swapping, signal) => void (await worker.call('swap', { ...swapping }, nothing, { signal })),
    move: async (from, to, signal) => void (await worker.call('move', { from, to }, nothing, { signal })),
    remove: async (dataset, signal) => void (await worker.call('remove', { dataset }, nothing, { signal })),
  };
}

/** Where the vectors of a new model lie until they take the dataset's place. */
export function incomingName(name: string, model: string): string {
  return besideName(name, `next ${model}`);
}

/** The dataset beside another one that holds the vectors of this model. */
export function besideName(name: string, model: string): string {
  const slug = model
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^[-.]+|-+$/g, '');
  return `${name}--${slug}`;
}

export function noEndpoint(system: string): Failure {
  return new Failure({
    code: 'invalid-config',
    message: `${system}: no embeddings endpoint is configured.`,
    advice: 'Name it as `embeddings: { url, apiKey }` of the system. Nothing was changed.',
  });
}

function stuck({ at }: Window, why: string): Carried {
  const nothingDone = { todo: 0, embedded: 0, copied: 0, changed: 0, tokens: 0, rows: 0, there: 0 };
  return { at, version: '', ...nothingDone, busy: { why, waitMs: 2_000 } };
}
