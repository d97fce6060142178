import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import { linesOf } from '../../shared/ndjson.ts';
import type { Secret } from '../../shared/secret.ts';
import { type WorkerErrorReport, workerErrorSchema, workerFailure } from './worker-failure.ts';

/** Where datasets in a bucket are, and what opens it. */
export interface BucketAccess {
  readonly endpointUrl: string;
  readonly accessKey: string;
  readonly secretKey: Secret;
  readonly region: string;
}

export interface WorkerOptions {
  /** The configured name of the system, for messages. */
  readonly system: string;
  /** A Python with the packages of `worker/requirements.txt`. */
  readonly python: string;
  /** The folder, or `s3://bucket/prefix`, under which all datasets lie. */
  readonly root: string;
  readonly s3?: BucketAccess;
  readonly logger: Logger;
  /** Bytes of memory that the process may take for its data; absent = 3 GiB. */
  readonly memoryBytes?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for the operation itself, without the time that it waits for its turn; absent = 10 minutes. */
  readonly timeLimitMs?: number;
  progress?(done: number, total: number | null): void;
}

/** A Python process that works on the datasets, started at the first call and again after a crash. */
export interface Worker {
  /**
   * Carries an operation out and checks its answer. One at a time, in order. A signal or the time limit ends the process;
   * the next call starts another one. Throws `Failure`s only.
   */
  call<T>(op: string, params: object, answer: z.ZodType<T>, options?: CallOptions): Promise<T>;
  /** The versions that the process told when it started. */
  versions(): Promise<WorkerVersions>;
  close(): Promise<void>;
}

const versionsSchema = z.strictObject({ protocol: z.literal(1), deeplake: z.string(), python: z.string() });
export type WorkerVersions = z.infer<typeof versionsSchema>;

const firstLine = z.union([z.strictObject({ ready: versionsSchema }), z.strictObject({ refused: workerErrorSchema })]);
const answerLine = z.union([
  z.strictObject({ id: z.number(), progress: z.strictObject({ done: z.number(), total: z.number().nullable() }) }),
  z.strictObject({ id: z.number(), error: workerErrorSchema }),
  z.strictObject({ id: z.number(), result: z.json() }),
]);

const program = join(import.meta.dirname, 'worker/worker.py');
const startMs = 60_000;
const callMs = 600_000;
const memory = 3 * 2 ** 30;
/** What of the process's complaints is kept for the log. */
const errorsKept = 4_000;

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: AsyncIterator<string>;
  readonly versions: WorkerVersions;
}

export function createWorker(options: WorkerOptions): Worker {
  let running: Running | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let nextId = 1;
  let closed = false;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const ready = async (signal?: AbortSignal): Promise<Running> => {
    if (closed) throw new Error('the worker was closed');
    if (running && running.child.exitCode === null && running.child.signalCode === null) return running;
    running = await start(options, signal);
    return running;
  };

  const end = (): void => {
    running?.child.kill('SIGKILL');
    running = null;
  };

  return {
    call: (op, params, answer, callOptions = {}) =>
      inTurn(async () => {
        const { signal, timeLimitMs = callMs } = callOptions;
        if (signal?.aborted) throw workerFailure(options, op, { code: 'cancelled', message: '' });
        const process = await ready(signal);
        const id = nextId++;
        const found = await limited(() => exchange(process, { id, op, params }, callOptions), {
          timeLimitMs,
          end,
          ...(signal ? { signal } : {}),
        }).catch((error: unknown) => {
          end();
          throw asFailure(options, op, error);
        });
        if ('error' in found && found.error.code === 'crashed') end();
        if ('error' in found) throw workerFailure(options, op, found.error);
        return answer.parse(found.result);
      }),
    versions: () => inTurn(async () => (await ready()).versions),
    async close() {
      closed = true;
      await turn;
      end();
    },
  };
}

/** Starts the process and tells it where it works: by its first line, never by arguments. */
async function start(options: WorkerOptions, signal?: AbortSignal): Promise<Running> {
  const { root, s3, python, logger, system } = options;
  const child = spawn(python, ['-u', '-B', program], {
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
      LC_ALL: 'C.UTF-8',
      PYTHONNOUSERSITE: '1',
      HOME: '/nonexistent',
      AWS_EC2_METADATA_DISABLED: 'true',
      MALLOC_ARENA_MAX: '2',
    },
    stdio: 'pipe',
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-errorsKept);
  });
  child.stdin.on('error', () => undefined);
  const spawnError = new Promise<never>((_, reject) => child.once('error', reject));
  spawnError.catch(() => undefined);
  child.once('close', (code, name) => {
    // Its text may hold values of records: only that it went is told.
    if (code !== 0 && name !== 'SIGKILL')
      logger.warn({ system, code, signal: name, complained: errors.length }, 'deeplake worker ended');
  });
  const lines = linesOf(child.stdout)[Symbol.asyncIterator]();
  const { secretKey, ...access } = s3 ?? {};
  const setting = {
    root,
    s3: secretKey ? { ...access, secretKey: secretKey.reveal() } : null,
    memoryBytes: options.memoryBytes ?? memory,
  };
  const end = (): void => void child.kill('SIGKILL');
  try {
    child.stdin.write(`${JSON.stringify(setting)}\n`);
    const told = await limited(() => Promise.race([lines.next(), spawnError]), {
      timeLimitMs: startMs,
      end,
      ...(signal ? { signal } : {}),
    });
    if (told.done) throw workerFailure(options, 'start', { code: 'not-installed', message: 'it ended at once' });
    const first = firstLine.parse(JSON.parse(told.value));
    if ('refused' in first) throw workerFailure(options, 'start', first.refused);
    return { child, lines, versions: first.ready };
  } catch (error) {
    end();
    if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn') !== true)
      throw asFailure(options, 'start', error);
    throw workerFailure(options, 'start', { code: 'not-installed', message: 'the program cannot be run' });
  }
}

type Answer = { readonly result: z.core.util.JSONType } | { readonly error: WorkerErrorReport };

async function exchange(
  { child, lines }: Running,
  request: { readonly id: number; readonly op: string; readonly params: object },
  { progress }: CallOptions,
): Promise<Answer> {
  child.stdin.write(`${JSON.stringify(request)}\n`);
  for (;;) {
    const next = await lines.next();
    if (next.done) return { error: { code: 'crashed', message: crashed(request.params) } };
    const line = answerLine.parse(JSON.parse(next.value));
    if (line.id !== request.id) throw new Error(`the worker answered ${line.id} to ${request.id}`);
    if ('progress' in line) progress?.(line.progress.done, line.progress.total);
    else return line;
  }
}

/** DeepLake ends its process over some damaged files: then the dataset is the first thing to look at. */
function crashed(params: object): string {
  const { dataset } = params as { readonly dataset?: unknown };
  if (typeof dataset !== 'string') return 'the worker ended in the middle of it';
  return `the worker ended while it worked on ${dataset}, which may be corrupt`;
}

class Interrupted extends Error {
  readonly code: 'cancelled' | 'timed-out';
  constructor(code: 'cancelled' | 'timed-out') {
    super(code);
    this.code = code;
  }
}

/** Ends the work with the signal or the limit, whichever is first. */
async function limited<T>(
  work: () => Promise<T>,
  limits: { readonly timeLimitMs: number; readonly signal?: AbortSignal; end(): void },
): Promise<T> {
  const { signal, timeLimitMs, end } = limits;
  let stop: ((code: 'cancelled' | 'timed-out') => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = (code) => {
      end();
      reject(new Interrupted(code));
    };
  });
  const onAbort = (): void => stop?.('cancelled');
  const clock = setTimeout(() => stop?.('timed-out'), timeLimitMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(), stopped]);
  } finally {
    clearTimeout(clock);
    signal?.removeEventListener('abort', onAbort);
  }
}

function asFailure(options: WorkerOptions, op: string, error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Interrupted)) return error;
  return workerFailure(options, op, { code: error.code, message: '' });
}
