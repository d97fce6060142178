import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface VectorRow {
  readonly id: string;
  readonly content: string;
  readonly model: string;
  readonly dimension: number;
}

export interface DatasetContent {
  readonly dimension: number | null;
  readonly rows: readonly (VectorRow & { readonly sum: number; readonly metadata: string })[];
}

/** An application that writes and reads datasets below one folder with DeepLake itself; nothing of the bot is used in it. */
export interface VectorApp {
  create(name: string, rows: readonly VectorRow[], dimension: number | null): Promise<void>;
  append(name: string, rows: readonly VectorRow[]): Promise<void>;
  update(name: string, id: string, content: string): Promise<void>;
  delete(name: string, id: string): Promise<void>;
  /** Null = there is no such dataset. */
  read(name: string): Promise<DatasetContent | null>;
  columns(name: string): Promise<string[]>;
  /** The content of the row that is most like it. */
  nearestTo(name: string, vector: readonly number[]): Promise<string>;
  close(): Promise<void>;
}

export function openVectorApp(python: string, root: string): VectorApp {
  const app = spawn(python, ['-u', join(import.meta.dirname, 'vector-app.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: app.stdout })[Symbol.asyncIterator]();
  const ask = async (op: string, name: string, params: object = {}): Promise<unknown> => {
    app.stdin.write(`${JSON.stringify({ op, params: { path: join(root, name), ...params } })}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the application ended at ${op}`);
    return JSON.parse(value);
  };
  return {
    async create(name, rows, dimension) {
      await mkdir(join(root, name, '..'), { recursive: true });
      await ask('create', name, { rows, dimension });
    },
    append: async (name, rows) => void (await ask('append', name, { rows })),
    update: async (name, id, content) => void (await ask('update', name, { id, content })),
    delete: async (name, id) => void (await ask('delete', name, { id })),
    read: async (name) => (await ask('read', name)) as DatasetContent | null,
    columns: async (name) => (await ask('columns', name)) as string[],
    nearestTo: async (name, vector) => (await ask('nearest', name, { vector })) as string,
    async close() {
      app.stdin.end();
      await once(app, 'close');
    },
  };
}
