import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { runProgram } from '../../sandbox/servers/run-program.ts';
import type { System } from '../../src/systems/system.ts';
import type { Contest } from '../kinds/contest.ts';
import { perform, type Step } from '../kinds/perform.ts';

const script = join(import.meta.dirname, 'by_hand.py');
const countSchema = z.object({ count: z.number(), dimension: z.number() });

/** Where datasets of vectors are, and the Python that has DeepLake. */
export interface VectorPlace {
  readonly system: System;
  readonly python: string;
  readonly root: string;
  readonly embeddings: Endpoints['embeddings'];
}

const advice = 'See what Python says.';

/** Datasets copied and embedded anew: one request after the other, 64 texts each, as ours does. */
export async function vectorContests(
  place: VectorPlace,
  sizes: { readonly copied: number; readonly embedded: number },
): Promise<readonly Contest[]> {
  const { python, root, embeddings } = place;
  const tenant = (name: string): string => join(root, 'tenants', name);
  const byHand = (...args: string[]) =>
    runProgram(python, [script, ...args], { advice, env: { API_KEY: embeddings.apiKey } });
  await byHand('make', join(tenant('copied'), 'default'), String(sizes.copied), '0');
  let first = 0;
  return [
    contest(place, {
      name: `deeplake.new-version (${sizes.copied.toLocaleString('en')} × 1,536)`,
      records: sizes.copied,
      from: join(tenant('copied'), 'default'),
      made: join(tenant('copied'), 'default-v2'),
      dimension: 1536,
      step: { use: 'deeplake.new-version', with: { datasets: 'tenants/copied/default', suffix: '-v2' } },
      before: async () => undefined,
      rival: { 'a loop in Python': (from, to) => byHand('copy', from, to) },
      byHand,
    }),
    contest(place, {
      name: `deeplake.re-embed (${sizes.embedded.toLocaleString('en')} texts, 1,536 → 3,072)`,
      records: sizes.embedded,
      from: join(tenant('embedded'), 'default'),
      made: join(tenant('embedded'), 'default--next-text-embedding-3-large'),
      dimension: 3072,
      step: {
        use: 'deeplake.re-embed',
        with: {
          datasets: 'tenants/embedded/default',
          from: 'text-embedding-ada-002',
          to: { model: 'text-embedding-3-large', dimension: 3072 },
          batch: 64,
        },
      },
      // Texts of their own for each pass: the endpoint remembers what it has embedded.
      before: async () => {
        first += sizes.embedded;
        await byHand('make', join(tenant('embedded'), 'default'), String(sizes.embedded), String(first));
      },
      rival: { 'a loop in Python': (from, to) => byHand('embed', from, to, embeddings.url, '64') },
      byHand,
    }),
  ];
}

interface VectorWork {
  readonly name: string;
  readonly records: number;
  readonly from: string;
  readonly made: string;
  readonly dimension: number;
  readonly step: Step;
  readonly before: () => Promise<unknown>;
  readonly rival: { readonly [name: string]: (from: string, to: string) => Promise<unknown> };
  readonly byHand: (...args: string[]) => Promise<string>;
}

function contest({ system }: VectorPlace, work: VectorWork): Contest {
  const { from, made, records, dimension } = work;
  return {
    name: work.name,
    records,
    async reset() {
      await rm(made, { recursive: true, force: true });
      await work.before();
    },
    ours: () => perform(system, work.step),
    rivals: Object.fromEntries(
      Object.entries(work.rival).map(([name, run]) => [name, async () => void (await run(from, made))]),
    ),
    async check() {
      const found = countSchema.parse(JSON.parse(await work.byHand('count', made)));
      if (found.count !== records || found.dimension !== dimension)
        throw new Error(`${made} holds ${found.count} vectors of ${found.dimension}`);
    },
  };
}
