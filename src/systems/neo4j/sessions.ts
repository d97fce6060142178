import { z } from 'zod';
import {
  type ForeignSessions,
  type SessionStore,
  type SessionWatch,
  type StepKey,
  sessionRules,
} from '../no-sessions.ts';
import type { Fence } from '../system.ts';
import type { Connection, GraphTransaction } from './connection.ts';
import { passFence } from './fence.ts';
import { ensureJournalSchema } from './journal-schema.ts';

export const graphRules = sessionRules.extend({
  idle: z
    .boolean()
    .default(true)
    .describe('Whether open connections that do nothing now count too: those of a pool write a moment later.'),
});
export type Rules = z.infer<typeof graphRules>;

/** Who uses the server, and the runs' records that nobody may. */
export function createSessionStore(connection: Connection): SessionStore<Rules> {
  return {
    system: connection.place.name,
    foreign: (rules) => connection.read((transaction) => readForeign(transaction, rules)),
    watch: createWatch(connection),
  };
}

/**
 * Connections that have logged in; the bot's own say `tas-bot`. A user agent's version is left out of its name, so that
 * `neo4j-javascript` can be named for all of them.
 */
async function readForeign(transaction: GraphTransaction, { except, idle }: Rules): Promise<ForeignSessions[]> {
  const rows = await transaction.run(
    `CALL dbms.listConnections() YIELD connectionId, username, userAgent
     WITH connectionId, coalesce(username, '') AS user, split(coalesce(userAgent, ''), '/')[0] AS agent
     WHERE user <> '' AND agent <> 'tas-bot' AND NOT user IN $except AND NOT agent IN $except
     RETURN connectionId, agent, user`,
    { except },
  );
  const busy = idle || rows.length === 0 ? null : await busyConnections(transaction);
  const found = new Map<string, ForeignSessions>();
  for (const [id, agent, user] of rows) {
    if (busy && !busy.has(String(id))) continue;
    const key = JSON.stringify([agent, user]);
    const count = (found.get(key)?.count ?? 0) + 1;
    found.set(key, { application: String(agent), user: String(user), count });
  }
  return [...found.values()];
}

async function busyConnections(transaction: GraphTransaction): Promise<Set<string>> {
  const rows = await transaction.run('SHOW TRANSACTIONS YIELD connectionId RETURN DISTINCT connectionId');
  return new Set(rows.map(([id]) => String(id)));
}

function createWatch(connection: Connection): SessionWatch<Rules> {
  const write = async <T>(fence: Fence, work: (transaction: GraphTransaction) => Promise<T>): Promise<T> => {
    await ensureJournalSchema(connection);
    return connection.write(async (transaction) => {
      // Holds off every other writer of the environment until the end.
      await passFence(transaction, fence, connection.place);
      return work(transaction);
    });
  };
  return {
    begin: (key, rules, fence) =>
      write(fence, (transaction) =>
        insert(transaction, key, { did: 'began', stands: true, rules: JSON.stringify(rules) }),
      ),
    reverse: (undoes, by, fence) => write(fence, (transaction) => reverse(transaction, undoes, by)),
    isRecorded: (key) => connection.read(async (transaction) => (await find(transaction, key)) !== undefined),
    async standing(runIds) {
      const rows = await connection.read((transaction) =>
        transaction.run('MATCH (w:_TasWatch) WHERE w.stands AND w.run IN $runIds RETURN w.rules', { runIds }),
      );
      return rows.map(([rules]) => graphRules.parse(JSON.parse(String(rules))));
    },
  };
}

interface Watched {
  readonly did: string;
  readonly stands: boolean;
  readonly rules: string;
}

async function find(transaction: GraphTransaction, { runId, stepId }: StepKey): Promise<Watched | undefined> {
  const statement = 'MATCH (w:_TasWatch {run: $runId, step: $stepId}) RETURN w.did, w.stands, w.rules';
  const [row] = await transaction.run(statement, { runId, stepId });
  return row ? { did: String(row[0]), stands: row[1] === true, rules: String(row[2]) } : undefined;
}

async function insert(transaction: GraphTransaction, key: StepKey, watched: Watched): Promise<void> {
  await transaction.run('MERGE (w:_TasWatch {run: $run, step: $step}) ON CREATE SET w += $watched', {
    run: key.runId,
    step: key.stepId,
    watched,
  });
}

async function reverse(transaction: GraphTransaction, undoes: StepKey, by: StepKey): Promise<boolean> {
  const before = await find(transaction, undoes);
  if (!before) return false;
  const begins = before.did === 'ended';
  await transaction.run('MATCH (w:_TasWatch {run: $runId, step: $stepId}) SET w.stands = false', { ...undoes });
  await insert(transaction, by, { did: begins ? 'began' : 'ended', stands: begins, rules: before.rules });
  return true;
}
