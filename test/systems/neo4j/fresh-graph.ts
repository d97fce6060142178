import { createLogger } from '../../../src/shared/logger.ts';
import { createSeal, type Seal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { type Connection, connect, type Parameters, type Values } from '../../../src/systems/neo4j/connection.ts';
import { createNeo4jSystem } from '../../../src/systems/neo4j/neo4j-system.ts';
import type {
  BatchResult,
  StepContext,
  StepKind,
  System,
  UndoBatchResult,
  UndoContext,
} from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';
import { performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';

export { kindOf } from '../step-contexts.ts';

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

export async function freshGraph(keep: 'nothing' | 'journal-schema' = 'nothing'): Promise<FreshGraph> {
  const { neo4j } = liveStores();
  const logger = createLogger('silent');
  const seal = createSeal(Buffer.alloc(32, 7));
  const options = { url: neo4j.url, user: neo4j.user, password: new Secret(neo4j.password), logger };
  const connection = connect({ name: 'test', ...options });
  await wipe(connection, keep);
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
    query: (statement, parameters) =>
      connection.write((transaction) => transaction.run(statement, parameters), { once: true }),
    another,
    async close() {
      await Promise.all([...systems.map((system) => system.close()), connection.close()]);
    },
  };
}

/** The same step under another run, with a fence of the test's own. */
export function contextOf(runId: string, over: Partial<StepContext> = {}): StepContext {
  return stepContext({ runId, ...over });
}

/** An undo of the step that another run carried out. */
export function undoOf(runId: string, undoes: string, over: Partial<UndoContext> = {}): UndoContext {
  return undoContext({ runId: undoes, stepId: 'data.step' }, { runId, ...over });
}

type Total = { done: number; kept: number; missing: number; batches: number };

function sum(results: readonly (BatchResult & Partial<UndoBatchResult>)[]): Total {
  const total = (name: 'done' | 'kept' | 'missing') => results.reduce((all, result) => all + (result[name] ?? 0), 0);
  return { done: total('done'), kept: total('kept'), missing: total('missing'), batches: results.length };
}

/** All batches of a step, as the engine calls them. */
export async function perform(kind: StepKind, input: unknown, context: StepContext, size = 3): Promise<Total> {
  return sum(await performAll(kind, input, context, size));
}

/** All batches of an undo. */
export async function undo(kind: StepKind, input: unknown, context: UndoContext): Promise<Total> {
  return sum(await undoAll(kind, input, context));
}
