import { Failure } from '../../shared/failure.ts';
import type { Load } from '../system.ts';
import type { Connection, GraphTransaction } from './connection.ts';

/** A transaction of somebody else that is open for so long waits for something, often for a lock of ours. */
const LONGEST_TRANSACTION_MS = 20_000;
/** So many transactions of others that wait for locks at one time. */
const MOST_BLOCKED = 5;
/** Share of the heap in use at which the server has little left before it collects without end. */
const FULLEST_HEAP = 0.95;

interface Measure {
  readonly strain: number;
  readonly why: string;
}

/** Transactions of others on the database; the bot's own say `application: tas`. */
async function measureTransactions(transaction: GraphTransaction): Promise<Measure[]> {
  const [row] = await transaction.run(
    `SHOW TRANSACTIONS YIELD database, elapsedTime, status, metaData, currentQuery
     WHERE database = $database AND coalesce(metaData.application, '') <> 'tas' AND NOT coalesce(currentQuery, '') STARTS WITH 'SHOW TRANSACTIONS'
     RETURN coalesce(max(elapsedTime.milliseconds), 0), sum(CASE WHEN status STARTS WITH 'Blocked' THEN 1 ELSE 0 END)`,
    { database: await databaseName(transaction) },
  );
  const [longest, blocked] = [Number(row?.[0] ?? 0), Number(row?.[1] ?? 0)];
  return [
    {
      strain: longest / LONGEST_TRANSACTION_MS,
      why: `a transaction of somebody else is open for ${Math.round(longest / 1000)} s`,
    },
    { strain: blocked / MOST_BLOCKED, why: `${blocked} transactions of others wait for locks` },
  ];
}

async function databaseName(transaction: GraphTransaction): Promise<string> {
  const [row] = await transaction.run('CALL db.info() YIELD name RETURN name');
  return String(row?.[0]);
}

/** Not every server lets its users see the heap: then it counts for nothing. */
async function measureHeap(connection: Connection): Promise<Measure[]> {
  try {
    const [row] = await connection.read((transaction) =>
      transaction.run(
        `CALL dbms.queryJmx('java.lang:type=Memory') YIELD attributes
         WITH attributes.HeapMemoryUsage.value.properties AS heap RETURN toFloat(heap.used), toFloat(heap.max)`,
      ),
    );
    const share = Number(row?.[0]) / Number(row?.[1]);
    if (!Number.isFinite(share) || share <= 0) return [];
    return [{ strain: share / FULLEST_HEAP, why: `${Math.round(share * 100)} % of the server's heap are in use` }];
  } catch (error) {
    if (error instanceof Failure && error.code !== 'unreachable') return [];
    throw error;
  }
}

/** How loaded the server is: others' transactions and the heap; the worst of them counts. */
export async function readLoad(connection: Connection): Promise<Load> {
  const measures = [...(await connection.read(measureTransactions)), ...(await measureHeap(connection))];
  const worst = measures.reduce((a, b) => (b.strain > a.strain ? b : a));
  return { strain: worst.strain, why: worst.strain >= 1 ? worst.why : null };
}
