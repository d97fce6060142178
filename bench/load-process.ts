import neo4j from 'neo4j-driver';
import pg from 'pg';
import type { StoreEndpoints } from '../sandbox/servers/endpoints.ts';

export interface LoadTask {
  readonly endpoints: StoreEndpoints;
  readonly records: number;
  /** Operations a second on each store; three of four read. */
  readonly rate: number;
}

/** The operations that were due from now on belong to this phase; null = nobody's. */
export interface PhaseMessage {
  readonly phase: string | null;
}

/** Of the operations of one sort in one phase, in milliseconds from when each was due. */
export interface LoadFigures {
  readonly phase: string;
  readonly store: string;
  readonly sort: 'read' | 'write';
  readonly count: number;
  /** Those that failed, and those that were not even begun since too many were open. */
  readonly failed: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

/** More are never open at once: a store that stands still must not pile them up without bound. */
const mostOpen = 200;

interface Operations {
  readonly store: string;
  read(n: number): Promise<unknown>;
  write(n: number): Promise<unknown>;
  close(): Promise<unknown>;
}

function onGraph({ neo4j: { url, user, password } }: StoreEndpoints): Operations {
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password), { maxConnectionPoolSize: 20 });
  const idOf = (n: number): string => `a-${String(100_000_000 + n).slice(1)}`;
  const run = async (mode: 'READ' | 'WRITE', statement: string, n: number) => {
    const session = driver.session({ defaultAccessMode: mode });
    try {
      await session.run(statement, { id: idOf(n) });
    } finally {
      await session.close();
    }
  };
  return {
    store: 'neo4j',
    read: (n) => run('READ', 'MATCH (n:BenchAccount {id: $id}) RETURN n.email, n.status', n),
    write: (n) => run('WRITE', 'MATCH (n:BenchAccount {id: $id}) SET n.last_login_at = datetime()', n),
    close: () => driver.close(),
  };
}

function onTables({ postgres: { url } }: StoreEndpoints): Operations {
  const pool = new pg.Pool({ connectionString: url, max: 20 });
  const key = "md5('file ' || $1::int)::uuid";
  return {
    store: 'postgres',
    read: (n) => pool.query(`SELECT filename, status FROM bench_files WHERE id = ${key}`, [n]),
    write: (n) => pool.query(`UPDATE bench_files SET status = 'seen' WHERE id = ${key}`, [n]),
    close: () => pool.end(),
  };
}

interface Seen {
  readonly ms: number[];
  failed: number;
}

process.once('message', async ({ endpoints, records, rate }: LoadTask) => {
  const seen = new Map<string, Seen>();
  let phase: string | null = null;
  const stores = [onGraph(endpoints), onTables(endpoints)];
  // The first connections, and what the servers compile for these statements.
  for (let n = 1; n <= 400; n += 1) await Promise.all(stores.flatMap(({ read, write }) => [read(n), write(n)]));
  const timers = stores.map((store) => drive(store, rate, records, () => phase, seen));
  process.on('message', async (message: PhaseMessage | 'end') => {
    if (message !== 'end') {
      phase = message.phase;
      return;
    }
    phase = null;
    await Promise.all(timers.map((stop) => stop()));
    process.send?.([...seen].map(([name, one]) => figuresOf(name, one)));
    await Promise.all(stores.map((store) => store.close()));
    process.disconnect();
  });
  process.send?.('ready');
});

/** Begins operations when they are due, whether or not earlier ones have come back: nobody waits for a slow store to be asked. */
function drive(
  { store, read, write }: Operations,
  rate: number,
  records: number,
  phaseNow: () => string | null,
  seen: Map<string, Seen>,
): () => Promise<void> {
  const began = performance.now();
  let due = 0;
  const open = new Set<Promise<void>>();
  const one = async (n: number, dueAt: number): Promise<void> => {
    const [phase, sort] = [phaseNow(), n % 4 === 0 ? 'write' : 'read'];
    const name = JSON.stringify([phase, store, sort]);
    const note: Seen = seen.get(name) ?? { ms: [], failed: 0 };
    if (phase !== null) seen.set(name, note);
    if (open.size >= mostOpen) {
      note.failed += 1;
      return;
    }
    const record = 1 + Math.floor(Math.random() * records);
    await (sort === 'read' ? read(record) : write(record)).catch(() => {
      note.failed += 1;
    });
    note.ms.push(performance.now() - dueAt);
  };
  const timer = setInterval(() => {
    for (const now = performance.now(); began + (due * 1000) / rate <= now; due += 1) {
      const operation: Promise<void> = one(due, began + (due * 1000) / rate).finally(() => open.delete(operation));
      open.add(operation);
    }
  }, 2);
  return async () => {
    clearInterval(timer);
    await Promise.all(open);
  };
}

function figuresOf(name: string, { ms, failed }: Seen): LoadFigures {
  const [phase, store, sort] = JSON.parse(name) as [string, string, 'read' | 'write'];
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { phase, store, sort, count: sorted.length, failed, p50: at(0.5), p99: at(0.99), most: at(1) };
}
