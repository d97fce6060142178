import { Failure } from '../../shared/failure.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Fence } from '../system.ts';
import type { Intent, Outcome } from './change.ts';
import type { Connection } from './connection.ts';
import { createJournalLog } from './journal-log.ts';

export interface BatchKey {
  readonly runId: string;
  readonly stepId: string;
  readonly index: number;
}

/** What kinds need of their system. */
export interface KindSetting {
  readonly system: string;
  readonly connection: Connection;
  readonly journal: JournalStore;
}

/** Intents and outcomes of batches, sealed, and fences. The first writer of a key wins. */
export interface JournalStore {
  readIntent(key: BatchKey): Promise<Intent | null>;
  /** Answers the one that stands: this one, or another process's that was first. */
  writeIntent(key: BatchKey, intent: Intent): Promise<Intent>;
  readOutcome(key: BatchKey): Promise<Outcome | null>;
  writeOutcome(key: BatchKey, outcome: Outcome): Promise<Outcome>;
  countBatches(runId: string, stepId: string): Promise<number>;
  /** Writes the token; throws `fenced` where a greater one stands. */
  checkFence(fence: Fence): Promise<void>;
  /** Writes at least this token. */
  raiseFence(fence: Fence): Promise<void>;
  close(): Promise<void>;
}

/** Keeps the journal in a topic of the same cluster. */
export function createJournalStore(connection: Connection, seal: Seal, topic: string): JournalStore {
  const log = createJournalLog(connection, topic);

  const readSealed = async <T>(name: string): Promise<T | null> => {
    const sealed = (await log.read()).first.get(name);
    return sealed === undefined ? null : (JSON.parse((await seal.open(sealed, name)).toString()) as T);
  };
  const writeSealed = async <T>(name: string, value: T): Promise<T> => {
    const body = await seal.seal(Buffer.from(JSON.stringify(value)), name);
    const standing = (await log.append(name, body)).first.get(name);
    if (!standing) throw new Error(`${name} was written and is not there`);
    return standing.equals(body) ? value : (JSON.parse((await seal.open(standing, name)).toString()) as T);
  };
  const intentsOf = async (prefix: string): Promise<string[]> =>
    [...(await log.read()).first.keys()].filter((name) => name.startsWith(prefix) && name.endsWith('/intent'));

  const moveFence = async (fence: Fence, refuse: boolean): Promise<void> => {
    const key = `fence/${encodeURIComponent(fence.environment)}`;
    const seen = (await log.read()).fences.get(key) ?? -1;
    const latest = seen < fence.token ? ((await append(key, fence.token)).get(key) ?? -1) : seen;
    if (refuse && latest > fence.token) throw fenced(connection.place.system, fence);
  };
  const append = async (key: string, token: number): Promise<ReadonlyMap<string, number>> =>
    (await log.append(key, Buffer.from(String(token)))).fences;

  return {
    readIntent: (key) => readSealed(`${nameOf(key)}/intent`),
    writeIntent: (key, intent) => writeSealed(`${nameOf(key)}/intent`, intent),
    readOutcome: (key) => readSealed(`${nameOf(key)}/done`),
    writeOutcome: (key, outcome) => writeSealed(`${nameOf(key)}/done`, outcome),
    countBatches: async (runId, stepId) => (await intentsOf(`${stepName(runId, stepId)}/`)).length,
    checkFence: (fence) => moveFence(fence, true),
    raiseFence: (fence) => moveFence(fence, false),
    close: () => log.close(),
  };
}

function stepName(runId: string, stepId: string): string {
  return `batch/${encodeURIComponent(runId)}/${encodeURIComponent(stepId)}`;
}

function nameOf({ runId, stepId, index }: BatchKey): string {
  return `${stepName(runId, stepId)}/${String(index).padStart(9, '0')}`;
}

function fenced(system: string, fence: Fence): Failure {
  return new Failure({
    code: 'fenced',
    message: `${system}: another process holds the environment ${fence.environment} by now; this one may change nothing any more.`,
    advice: 'The process that holds the environment goes on with the run.',
  });
}
