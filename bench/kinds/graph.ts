import neo4j, { type Driver } from 'neo4j-driver';
import type { Neo4jEndpoint } from '../../sandbox/servers/endpoints.ts';

/** The graph as people with a shell see it: statements in transactions of their own. */
export interface Graph {
  /** For schema and `CALL … IN TRANSACTIONS`. */
  run(statement: string, parameters?: { readonly [name: string]: unknown }): Promise<void>;
  /** The one number that the statement returns. */
  count(statement: string): Promise<number>;
  /** Throws where a batch failed: the procedure itself only counts it. */
  iterate(select: string, change: string, base: bigint): Promise<void>;
  close(): Promise<void>;
}

export function openGraph({ url, user, password }: Neo4jEndpoint): Graph {
  const driver: Driver = neo4j.driver(url, neo4j.auth.basic(user, password), { useBigInt: true });
  const ask = async (statement: string, parameters = {}) => {
    const session = driver.session();
    try {
      return (await session.run(statement, parameters)).records;
    } finally {
      await session.close();
    }
  };
  return {
    async run(statement, parameters) {
      await ask(statement, parameters);
    },
    count: async (statement) => Number((await ask(statement))[0]?.get(0)),
    async iterate(select, change, base) {
      const [record] = await ask(
        `CALL apoc.periodic.iterate($select, $change, {batchSize: 10000, parallel: false, params: {base: $base}})
         YIELD failedBatches, failedOperations RETURN failedBatches + failedOperations`,
        { select, change, base },
      );
      if (Number(record?.get(0)) !== 0) throw new Error('a batch of apoc.periodic.iterate failed');
    },
    close: () => driver.close(),
  };
}

/** Accounts with some properties of several types; each has an id of its own, under a constraint. */
export async function makeAccounts(graph: Graph, label: string, records: number): Promise<void> {
  await graph.run(`CREATE CONSTRAINT bench_${label} IF NOT EXISTS FOR (n:${label}) REQUIRE n.id IS UNIQUE`);
  await graph.run(
    `UNWIND range(1, $records) AS i CALL (i) {
       CREATE (:${label} {id: 'a-' + substring(toString(100000000 + i), 1), email: 'person' + toString(i) + '@example.org',
         full_name: 'Person number ' + toString(i), status: 'processed', rank: i, score: i / 7.0,
         created_at: datetime({epochSeconds: 1700000000 + i}), roles: ['user', 'editor']})
     } IN TRANSACTIONS OF 10000 ROWS`,
    { records: BigInt(records) },
  );
}

/** A note for each account, owned by it. */
export async function makeNotes(graph: Graph): Promise<void> {
  for (const label of ['BenchNote', 'BenchPage', 'BenchHome']) {
    await graph.run(`CREATE CONSTRAINT bench_${label} IF NOT EXISTS FOR (n:${label}) REQUIRE n.id IS UNIQUE`);
  }
  await graph.run(
    `MATCH (a:BenchAccount) CALL (a) {
       CREATE (:BenchNote {id: 'n' + substring(a.id, 1), title: 'Note of ' + a.full_name, visibility: 'private', pages: a.rank % 40,
         created_at: a.created_at + duration({hours: 5}), tags: ['one', 'two', 'three']})-[:OWNED_BY {order_index: a.rank}]->(a)
     } IN TRANSACTIONS OF 10000 ROWS`,
  );
  await graph.run('CALL db.awaitIndexes(300)');
}

/** Takes everything away again that the bench made in the graph, the journal included. */
export async function removeBenchNodes(graph: Graph, labels: readonly string[]): Promise<void> {
  for (const label of [...labels, '_TasBatch']) {
    await graph.run(`MATCH (n:${label}) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS`);
    await graph.run(`DROP CONSTRAINT bench_${label} IF EXISTS`);
  }
}
