import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Fence } from '../system.ts';
import type { Intent, Outcome } from './change.ts';
import type { Worker } from './worker.ts';

export interface BatchKey {
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
}

/** The bot's small files beside the datasets: fences, and two files a batch, sealed. The first writer of a file wins. */
export interface JournalStore {
  readIntent(key: BatchKey): Promise<Intent | null>;
  /** Answers the one that stands: this one, or another process's that was first. */
  writeIntent(key: BatchKey, intent: Intent): Promise<Intent>;
  readOutcome(key: BatchKey): Promise<Outcome | null>;
  writeOutcome(key: BatchKey, outcome: Outcome): Promise<Outcome>;
  countBatches(runId: string, stepId: string): Promise<number>;
  /** Steps of a run that wrote something. */
  listSteps(runId: string): Promise<string[]>;
  /** Writes the token; throws `fenced` where a greater one stands. */
  checkFence(fence: Fence): Promise<void>;
  /** Writes at least this token. */
  raiseFence(fence: Fence): Promise<void>;
}

/** A file of the bot; null = there is none. */
export interface ControlFile {
  readonly content: Buffer;
  /** Names this content, for `writeFile`. */
  readonly tag: string;
}

const fileSchema = z.strictObject({ content: z.base64(), tag: z.string() }).nullable();
const writtenSchema = z.strictObject({ written: z.boolean() });
const namesSchema = z.strictObject({ names: z.array(z.string()) });
const fenceSchema = z.strictObject({ token: z.number().int() });

export async function readFile(worker: Worker, name: string): Promise<ControlFile | null> {
  const file = await worker.call('file-read', { name }, fileSchema);
  return file && { content: Buffer.from(file.content, 'base64'), tag: file.tag };
}

/** `ifTag`: what must stand there, null = nothing; absent = whatever stands there. False where something else stood there. */
export async function writeFile(
  worker: Worker,
  name: string,
  content: Buffer,
  ifTag?: string | null,
): Promise<boolean> {
  const params = { name, content: content.toString('base64'), ...(ifTag === undefined ? {} : { ifTag }) };
  return (await worker.call('file-write', params, writtenSchema)).written;
}

async function listFiles(worker: Worker, name: string): Promise<string[]> {
  return (await worker.call('file-list', { name }, namesSchema)).names;
}

export function createJournalStore(worker: Worker, system: string, seal: Seal): JournalStore {
  const readSealed = async <T>(name: string): Promise<T | null> => {
    const file = await readFile(worker, name);
    return file && (JSON.parse((await seal.open(file.content, name)).toString()) as T);
  };
  const writeSealed = async <T>(name: string, value: T): Promise<T> => {
    const body = await seal.seal(Buffer.from(JSON.stringify(value)), name);
    if (await writeFile(worker, name, body, null)) return value;
    const first = await readSealed<T>(name);
    if (!first) throw new Error(`${name} is there and is not`);
    return first;
  };
  return {
    readIntent: (key) => readSealed(`${nameOf(key)}/intent`),
    writeIntent: (key, intent) => writeSealed(`${nameOf(key)}/intent`, intent),
    readOutcome: (key) => readSealed(`${nameOf(key)}/done`),
    writeOutcome: (key, outcome) => writeSealed(`${nameOf(key)}/done`, outcome),
    async countBatches(runId, stepId) {
      const names = await listFiles(worker, stepName({ runId, stepId }));
      return names.filter((name) => name.endsWith('/intent')).length;
    },
    async listSteps(runId) {
      const names = await listFiles(worker, `batches/${encodeURIComponent(runId)}`);
      return [...new Set(names.map((name) => decodeURIComponent(name.split('/')[0] ?? '')))];
    },
    checkFence: (fence) => moveFence(worker, system, fence, true),
    raiseFence: (fence) => moveFence(worker, system, fence, false),
  };
}

function stepName(key: Pick<BatchKey, 'runId' | 'stepId'>): string {
  return `batches/${encodeURIComponent(key.runId)}/${encodeURIComponent(key.stepId)}`;
}

function nameOf(key: BatchKey): string {
  return `${stepName(key)}/${String(key.index).padStart(9, '0')}`;
}

/** Reads, compares and writes, each time on what it has just read: a later writer in between makes it read again. */
async function moveFence(worker: Worker, system: string, fence: Fence, refuse: boolean): Promise<void> {
  const name = `fence/${encodeURIComponent(fence.environment)}`;
  for (;;) {
    const seen = await readFile(worker, name);
    const { token } = seen ? fenceSchema.parse(JSON.parse(seen.content.toString())) : { token: -1 };
    if (token > fence.token && refuse) throw fenced(system, fence);
    if (token >= fence.token) return;
    const content = Buffer.from(JSON.stringify({ token: fence.token }));
    if (await writeFile(worker, name, content, seen ? seen.tag : null)) return;
  }
}

function fenced(system: string, fence: Fence): Failure {
  return new Failure({
    code: 'fenced',
    message: `${system}: another process holds the environment ${fence.environment} by now; this one may change nothing any more.`,
    advice: 'The process that holds the environment goes on with the run.',
  });
}
