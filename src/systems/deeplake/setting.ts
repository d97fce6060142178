import { z } from 'zod';
import type { Secret } from '../../shared/secret.ts';
import type { Finding } from '../finding.ts';
import type { Fence, StepContext } from '../system.ts';
import type { JournalStore } from './journal-store.ts';
import type { Worker } from './worker.ts';

/** What kinds need of their system. */
export interface KindSetting {
  /** The configured name. */
  readonly system: string;
  readonly worker: Worker;
  readonly journal: JournalStore;
  /** False where the root is a bucket, which knows no rename. */
  readonly folders: boolean;
  /** Throws `fenced` for a smaller token. */
  checkFence(fence: Fence): Promise<void>;
  /** An endpoint that speaks OpenAI's `/v1/embeddings`; null = none is configured. */
  readonly embeddings: { readonly url: string; readonly apiKey?: Secret } | null;
}

const segment = '[A-Za-z0-9*][A-Za-z0-9._*-]*';

/** Names of datasets as a step chooses them. */
export const globSchema = z
  .string()
  .max(300)
  .regex(new RegExp(`^${segment}(/${segment})*$`), 'write a path below the root, with * for a part of a name')
  .describe('Datasets below the root; * stands for anything but a slash, e.g. tenants/*/default.');

const describedSchema = z.strictObject({
  dataset: z.string(),
  version: z.string(),
  message: z.string().nullable(),
  count: z.number(),
  dimension: z.number().nullable(),
  columns: z.array(z.strictObject({ name: z.string(), type: z.string() })),
  bytes: z.number(),
});
/** A dataset without its vectors; `version` is its head's commit, `bytes` those of its files. */
export type Described = z.infer<typeof describedSchema>;

/** Names of datasets that fit the pattern, in order by code point. */
export async function listDatasets(worker: Worker, glob: string, signal?: AbortSignal): Promise<string[]> {
  const answer = z.strictObject({ datasets: z.array(z.string()) });
  return (await worker.call('list', { glob }, answer, signal ? { signal } : {})).datasets;
}

/** All names, whatever their depth. */
export async function listAll(worker: Worker): Promise<string[]> {
  const names: string[] = [];
  for (const glob of ['*', '*/*', '*/*/*', '*/*/*/*', '*/*/*/*/*']) names.push(...(await listDatasets(worker, glob)));
  return names.sort((a, b) => (a < b ? -1 : 1));
}

/** Throws `precondition-failed` with the name of a dataset that is missing or corrupt. */
export function describeDataset(worker: Worker, dataset: string, signal?: AbortSignal): Promise<Described> {
  return worker.call('describe', { dataset }, describedSchema, signal ? { signal } : {});
}

/** The folders' own numbers, which stay with them when they are renamed; null = there is none. Throws for a bucket. */
export async function numbersOf(worker: Worker, names: readonly string[]): Promise<(string | null)[]> {
  return (await worker.call('identify', { names }, z.strictObject({ folders: z.array(z.string().nullable()) })))
    .folders;
}

/** The message of a batch's commits in DeepLake's history: by it recovery and undo know them. */
export function messageOf({ runId, stepId }: Pick<StepContext, 'runId' | 'stepId'>, index: number): string {
  return `tas ${runId} ${stepId} ${index}`;
}

/** A finding that refuses the plan. */
export function failed(check: string, title: string, samples: readonly string[], advice: string): Finding {
  return { check, title, status: 'failed', count: samples.length, samples: samples.slice(0, 5), advice };
}
