import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { installDeeplake } from '../../../sandbox/servers/deeplake/deeplake-program.ts';
import { silentProgress } from '../../../sandbox/servers/progress.ts';
import { Secret } from '../../../src/shared/secret.ts';
import type { VectorSetting } from '../../../src/systems/deeplake/vectors/vector-store.ts';
import { createWorker } from '../../../src/systems/deeplake/worker.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { openVectorApp, type VectorApp, type VectorRow } from './vector-app.ts';

/** A folder of datasets of a test's own, with an application that writes to them, and the real endpoint. */
export interface VectorScene extends VectorApp {
  readonly root: string;
  readonly setting: VectorSetting;
  /** A setting as another process of the bot would have it. */
  another(over?: Partial<VectorSetting>): VectorSetting;
  nearest(name: string, text: string, model: string): Promise<string>;
  /** What the endpoint shall do wrong from now on; `after` good requests. */
  faults(faults: readonly object[], after?: number): Promise<void>;
  /** Texts that were embedded so far, by model. */
  embedded(model: string): Promise<number>;
  /** Names of folders beside each other. */
  list(folder: string): Promise<string[]>;
}

export const ada = { model: 'text-embedding-ada-002', dimension: 1536 } as const;
export const small = { model: 'text-embedding-3-small', dimension: 1536 } as const;
export const large = { model: 'text-embedding-3-large', dimension: 3072 } as const;

/** Rows of one model with numbered ids and texts. */
export function rowsOf(model: { model: string; dimension: number }, from: number, to: number): VectorRow[] {
  const subjects = ['cats that sleep', 'ships at sea', 'the price of bread', 'old computers'];
  return Array.from({ length: to - from }, (_, i) => {
    const id = `v${String(from + i).padStart(4, '0')}`;
    return { id, content: `Note ${from + i} is about ${subjects[(from + i) % 4]}.`, ...model };
  });
}

export async function vectorScene(): Promise<VectorScene> {
  const python = await installDeeplake(silentProgress.task('deeplake'));
  const root = await mkdtemp(join(tmpdir(), 'tas-vectors-'));
  const app = openVectorApp(python, root);
  const { url, apiKey } = liveEndpoints().embeddings;
  const control = async (body?: object) => {
    const method = body ? 'POST' : 'GET';
    const headers = { authorization: `Bearer ${apiKey}` };
    const answer = await fetch(new URL('/control', url), {
      method,
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`control answers ${answer.status}`);
    return (await answer.json()) as { embedded: Record<string, number> };
  };
  const settings: VectorSetting[] = [];
  const another = (over: Partial<VectorSetting> = {}): VectorSetting => {
    const logger = pino({ level: 'silent' });
    const worker = createWorker({ system: 'vectors', python, root, logger });
    const embeddings = { url, apiKey: new Secret(apiKey) };
    const made = { system: 'vectors', worker, folders: true, embeddings, checkFence: async () => {}, ...over };
    settings.push(made);
    return made;
  };
  return {
    ...app,
    root,
    setting: another(),
    another,
    async nearest(name, text, model) {
      const headers = { authorization: `Bearer ${apiKey}` };
      const answer = await fetch(`${url}/embeddings`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model, input: text }),
      });
      const { data } = (await answer.json()) as { data: [{ embedding: number[] }] };
      return app.nearestTo(name, data[0].embedding);
    },
    faults: async (faults, after = 0) => void (await control({ faults, after })),
    embedded: async (model) => (await control()).embedded[model] ?? 0,
    list: async (folder) => (await readdir(join(root, folder))).sort(),
    async close() {
      await control({ faults: [] });
      for (const { worker } of settings) await worker.close();
      await app.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
