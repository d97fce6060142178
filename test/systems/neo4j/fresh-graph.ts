import { createLogger } from '../../../src/shared/logger.ts';
import { createSeal, type Seal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { type Connection, connect, type Parameters, type Values } from '../../../src/systems/neo4j/connection.ts';
import { createNeo4jSystem } from '../../../src/systems/neo4j/neo4j-system.ts';
import type {
  BatchRequest,
  BatchResult,
  StepContext,
  StepKind,
  System,
  UndoBatchResult,
  UndoContext,
} from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';

/** A graph that held nothing when the test began, and the system over it. */
export interface FreshGraph {
  readonly system: System;
  /** A connection of its own, as another user of the database has one. */
  readonly connection: Connection;
  readonly seal: Seal;
  /** What a user of the platform does meanwhile. */
  query(statement: string, parameters?: Parameters): Promise<Values[]>;
  /** A second system over the same database, as another process has one. */
  another(name?: string): System;
  close(): Promise<void>;
}

/** Empties the graph and its schema; `keep` spares the bot's own constraints, which take long to make again. */
export async function wipe(connection: Connection, keep: 'nothing' | 'journal-schema' = 'nothing'): Promise<void> {
  const spared = (name: unknown) => keep === 'journal-schema' && String(name).startsWith('_tas');
  await connection.command('MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS');
  for (const [name] of await connection.command('SHOW CONSTRAINTS YIELD name RETURN name')) {
    if (!spared(name)) await connection.command('DROP CONSTRAINT $name IF EXISTS', { name });
  }
  for (const [name] of await connection.command("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name")) {
    if (!spared(name)) await connection.command('DROP INDEX $name IF EXISTS', { name });
  }
}

export async function freshGraph(): Promise<FreshGraph> {
  const { neo4j } = liveStores();
  const logger = createLogger('silent');
  const seal = createSeal(Buffer.alloc(32, 7));
  const options = { url: neo4j.url, user: neo4j.user, password: new Secret(neo4j.password), logger };
  const connection = connect({ name: 'test', ...options });
  await wipe(connection);
  const systems: System[] = [];
  const another = (name = 'graph') => {
    const system = createNeo4jSystem({ name, ...options, seal });
    systems.push(system);
    return system;
  };
  return {
    system: another(),
    connection,
    seal,
    query: (statement, parameters) => connection.command(statement, parameters),
    another,
    async close() {
      await Promise.all([...systems.map((system) => system.close()), connection.close()]);
    },
  };
}

const none = {
  lookup: async () => new Map(),
  async *scan() {},
};

export function stepContext(runId: string, more: Partial<StepContext> = {}): StepContext {
  return {
    ...none,
    runId,
    stepId: 'data.step',
    sequenceBase: '1700000000000000',
    fence: { environment: 'sandbox', token: 1 },
    cap: null,
    signal: new AbortController().signal,
    ...more,
  };
}

export function undoContext(runId: string, undoes: string, more: Partial<UndoContext> = {}): UndoContext {
  return {
    ...stepContext(runId),
    undoes: { runId: undoes, stepId: 'data.step' },
    held: async () => new Set<string>(),
    coupled: [],
    ...more,
  };
}

export function kindOf(system: System, name: string): StepKind {
  const kind = system.kinds.find((one) => one.name === name);
  if (!kind) throw new Error(`no kind ${name}`);
  return kind;
}

type Total = { done: number; kept: number; missing: number; batches: number };

async function drive(
  size: number,
  call: (batch: BatchRequest) => Promise<BatchResult | UndoBatchResult>,
): Promise<Total> {
  const total = { done: 0, kept: 0, missing: 0, batches: 0 };
  let cursor: BatchRequest['cursor'] = null;
  do {
    const result: BatchResult & Partial<UndoBatchResult> = await call({
      index: total.batches,
      cursor,
      done: total.done,
      size,
    });
    total.done += result.done;
    total.kept += result.kept ?? 0;
    total.missing += result.missing ?? 0;
    total.batches++;
    cursor = result.cursor;
  } while (cursor !== null);
  return total;
}

/** All batches of a step, as the engine calls them. */
export function perform(kind: StepKind, input: unknown, context: StepContext, size = 3): Promise<Total> {
  return drive(size, (batch) => kind.performBatch(kind.input.parse(input), batch, context));
}

/** All batches of an undo. */
export function undo(kind: StepKind, input: unknown, context: UndoContext): Promise<Total> {
  const { undoBatch } = kind;
  if (!undoBatch) throw new Error('this kind has no undo');
  return drive(1000, (batch) => undoBatch(kind.input.parse(input), batch, context));
}
