import { jest } from '@jest/globals';
import { createLogger, type Logger } from '../../../src/shared/logger.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createNeo4jSystem } from '../../../src/systems/neo4j/neo4j-system.ts';
import type { StepKind } from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';
import { cuttableLine } from './cuttable-line.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform, undo, undoOf, wipe } from './fresh-graph.ts';

jest.setTimeout(60_000);

const step = { label: 'User', key: 'id', where: 'n.t IS NULL', set: { t: "'t' + $sequence" } };
const first = { index: 0, cursor: null, done: 0, size: 5 };

let graph: FreshGraph;
let kind: StepKind;

beforeAll(async () => {
  graph = await freshGraph();
  kind = kindOf(graph.system, 'neo4j.set-properties');
  await perform(kind, { ...step, label: 'Nobody' }, contextOf('warm-up'));
});
afterAll(() => graph.close());
beforeEach(async () => {
  await wipe(graph.connection, 'journal-schema');
  await graph.query("UNWIND range(1, 9) AS i CREATE (:User {id: 'u' + i})");
});

/** Waits until so many transactions stand before a lock. */
async function waiting(count: number): Promise<void> {
  for (;;) {
    const rows = await graph.query("SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN count(*)");
    if (Number(rows[0]?.[0]) >= count) return;
  }
}

/** A transaction of somebody else that holds its locks until it is let go. */
function hold(...statements: string[]): {
  held: Promise<void>;
  commit(): void;
  rollBack(): void;
  ended: Promise<unknown>;
} {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const ended = graph.connection
    .write(
      async (transaction) => {
        for (const statement of statements) await transaction.run(statement);
        held.resolve();
        await gate.promise;
      },
      { once: true },
    )
    .catch((error: unknown) => {
      held.reject(error);
      return error;
    });
  return { held: held.promise, commit: gate.resolve, rollBack: () => gate.reject(new Error('rolled back')), ended };
}

describe('a batch', () => {
  it('waits for a transaction of a killed process under the same key, and returns what that one committed', async () => {
    const result = await kind.performBatch(kind.input.parse(step), first, contextOf('other'));
    const zombie = hold(
      "MATCH (b:_TasBatch {key: 'other/data.step/0'}) CREATE (z:_TasBatch) SET z = b {.*, key: 'r1/data.step/0', run: 'r1'}",
    );
    await zombie.held;
    const late = kind.performBatch(kind.input.parse(step), first, contextOf('r1'));
    await waiting(1);
    zombie.commit();
    expect(await late).toEqual(result);
    expect(await graph.query('MATCH (n:User) WHERE n.t IS NOT NULL RETURN count(n)')).toEqual([[5n]]);
  });

  it('does the work itself when that transaction was rolled back', async () => {
    await perform(kind, { ...step, label: 'Nobody' }, contextOf('first'));
    const zombie = hold("CREATE (:_TasBatch {key: 'r1/data.step/0'})");
    await zombie.held;
    const late = kind.performBatch(kind.input.parse(step), first, contextOf('r1'));
    await waiting(1);
    zombie.rollBack();
    expect(await late).toMatchObject({ done: 5 });
  });

  it('gives the same end when the connection is lost at any of its statements, or with the answer to the commit', async () => {
    const cuts: [string, 'before' | 'after'][] = [
      ['CREATE (:_TasBatch', 'before'],
      ['CREATE (:_TasBatch', 'after'],
      ['MERGE (f:_TasFence', 'after'],
      ['_tas_rows', 'before'],
      ['_tas_rows', 'after'],
      ['SET b += $summary', 'after'],
      ['COMMIT', 'before'],
      ['COMMIT', 'after'],
    ];
    const expected = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => [`t170000000000000${i}`]);
    for (const [i, [words, when]] of cuts.entries()) {
      await wipe(graph.connection, 'journal-schema');
      await graph.query("UNWIND range(1, 9) AS i CREATE (:User {id: 'u' + i})");
      const line = await cuttableLine(graph.seal);
      try {
        const through = kindOf(line.system, 'neo4j.set-properties');
        await line.system.checkHealth();
        line.cutAt(words, when);
        expect(await perform(through, step, contextOf(`r${i}`), 5)).toMatchObject({ done: 9, batches: 2 });
        expect({ words, when, cuts: line.cuts() }).toEqual({ words, when, cuts: 1 });
        expect(await graph.query('MATCH (n:User) RETURN n.t ORDER BY n.id')).toEqual(expected);
        expect(await graph.query('MATCH (b:_TasBatch) RETURN b.done ORDER BY b.index')).toEqual([[5n], [4n]]);
        expect(await undo(through, step, undoOf(`b${i}`, `r${i}`))).toMatchObject({ done: 9, kept: 0 });
      } finally {
        await line.close();
      }
    }
  });

  it('retypes every relationship once, and back, wherever the connection is lost', async () => {
    const ends = { from: { label: 'User', key: 'id' }, to: { label: 'Space', key: 'id' } };
    const retype = { from: 'OWNS', to: 'HAS', ends, set: { rank: '1' } };
    const cuts: [string, 'before' | 'after'][] = [
      ['id(r) LIMIT $size', 'after'],
      ['CREATE (a)-[x:`HAS`]', 'before'],
      ['CREATE (a)-[x:`HAS`]', 'after'],
      ['COMMIT', 'before'],
      ['COMMIT', 'after'],
    ];
    await graph.query("MATCH (n:User) CREATE (n)-[:OWNS {i: n.id}]->(:Space {id: 's' + n.id})");
    const before = (await graph.system.fingerprint?.())?.hash;
    for (const [i, [words, when]] of cuts.entries()) {
      const line = await cuttableLine(graph.seal);
      try {
        const through = kindOf(line.system, 'neo4j.retype-relationships');
        await line.system.checkHealth();
        line.cutAt(words, when);
        expect(await perform(through, retype, contextOf(`r${i}`), 5)).toMatchObject({ done: 9, batches: 2 });
        expect({ words, when, cuts: line.cuts() }).toEqual({ words, when, cuts: 1 });
        expect(await graph.query('MATCH ()-[r]->() RETURN type(r), count(DISTINCT r.i), count(r)')).toEqual([
          ['HAS', 9n, 9n],
        ]);
        line.cutAt(i % 2 === 0 ? 'DELETE r' : 'COMMIT', when);
        expect(await undo(through, retype, undoOf(`b${i}`, `r${i}`))).toMatchObject({ done: 9, kept: 0, missing: 0 });
        expect(line.cuts()).toBe(2);
        expect((await graph.system.fingerprint?.())?.hash).toBe(before);
      } finally {
        await line.close();
      }
    }
  });

  it('tests the condition again once it has the lock: what a user wrote meanwhile is not overwritten', async () => {
    const user = hold("MATCH (n:User {id: 'u3'}) SET n.t = 'mine'");
    await user.held;
    const late = kind.performBatch(kind.input.parse(step), first, contextOf('r1'));
    await waiting(1);
    user.commit();
    expect(await late).toMatchObject({ done: 4 });
    expect(await graph.query("MATCH (n:User {id: 'u3'}) RETURN n.t")).toEqual([['mine']]);
    await kind.performBatch(
      kind.input.parse(step),
      { ...first, index: 1, done: 4, cursor: (await late).cursor },
      contextOf('r1'),
    );
    expect(await undo(kind, step, undoOf('b1', 'r1'))).toMatchObject({ done: 8, kept: 0 });
    expect(await graph.query("MATCH (n:User {id: 'u3'}) RETURN n.t")).toEqual([['mine']]);
  });

  it('has the right before image when a user changes a value that it is about to overwrite', async () => {
    const overwrite = { ...step, where: 'true', set: { name: "'new'" } };
    await graph.query("MATCH (n:User) SET n.name = 'old'");
    const user = hold("MATCH (n:User {id: 'u2'}) SET n.name = 'edited'");
    await user.held;
    const late = kind.performBatch(kind.input.parse(overwrite), { ...first, size: 100 }, contextOf('r1'));
    await waiting(1);
    user.commit();
    await late;
    await undo(kind, overwrite, undoOf('b1', 'r1'));
    expect(await graph.query("MATCH (n:User {id: 'u2'}) RETURN n.name")).toEqual([['edited']]);
  });

  it('is taken up again after a deadlock', async () => {
    const said: unknown[] = [];
    const { neo4j } = liveStores();
    const logger = {
      ...createLogger('silent'),
      warn: (fields: unknown) => void said.push(fields),
    } as unknown as Logger;
    const password = new Secret(neo4j.password);
    const system = createNeo4jSystem({
      name: 'graph',
      url: neo4j.url,
      user: neo4j.user,
      password,
      seal: graph.seal,
      logger,
    });
    try {
      // One user holds u5 and wants u1, which the batch has by then; a second one holds the batch up at u3 until he waits.
      // Neo4j gives up the transaction with fewer locks, so the user takes many.
      await graph.query('UNWIND range(1, 300) AS i CREATE (:Other {id: i})');
      const wants = Promise.withResolvers<void>();
      const locks = Promise.withResolvers<void>();
      const crossing = graph.connection.write(
        async (transaction) => {
          await transaction.run("MATCH (n) WHERE n:Other OR n.id = 'u5' SET n.x = 1");
          locks.resolve();
          await wants.promise;
          await transaction.run("MATCH (n:User {id: 'u1'}) SET n.x = 1");
        },
        { once: true },
      );
      const delaying = hold("MATCH (n:User {id: 'u3'}) SET n.x = 1");
      await Promise.all([locks.promise, delaying.held]);
      const late = kindOf(system, 'neo4j.set-properties').performBatch(
        kind.input.parse(step),
        { ...first, size: 100 },
        contextOf('r1'),
      );
      await waiting(1);
      wants.resolve();
      await waiting(2);
      delaying.commit();
      expect(await late).toMatchObject({ done: 9 });
      await crossing;
    } finally {
      await system.close();
    }
    expect(said).toEqual([expect.objectContaining({ code: expect.stringContaining('Deadlock') })]);
  });

  it('refuses a process whose lease was taken over, even one that is already waiting', async () => {
    const successor = hold("MERGE (f:_TasFence {environment: 'test'}) SET f.token = 4");
    await successor.held;
    const late = kind.performBatch(kind.input.parse(step), first, contextOf('r1'));
    await waiting(1);
    successor.commit();
    await expect(late).rejects.toMatchObject({ code: 'fenced' });
    expect(await graph.query('MATCH (n:User) WHERE n.t IS NOT NULL RETURN count(n)')).toEqual([[0n]]);
    expect(await graph.query('MATCH (b:_TasBatch) RETURN count(b)')).toEqual([[0n]]);
  });

  it('stops when asked to, with nothing written', async () => {
    const stop = new AbortController();
    const user = hold("MATCH (n:User {id: 'u1'}) SET n.x = 1");
    await user.held;
    const late = kind.performBatch(kind.input.parse(step), first, contextOf('r1', { signal: stop.signal }));
    await waiting(1);
    stop.abort();
    user.commit();
    await expect(late).rejects.toMatchObject({ code: 'cancelled', retryable: true });
    expect(await graph.query('MATCH (n:User) WHERE n.t IS NOT NULL RETURN count(n)')).toEqual([[0n]]);
  });
});

describe('the journal', () => {
  it('tells the values that a step wrote, and which of them records of others hold', async () => {
    await graph.query("UNWIND range(1, 9) AS i CREATE (:Document {id: 'd' + i, owner: 'u' + i})");
    const fillIn = {
      label: 'Document',
      key: 'id',
      where: 'n.t IS NULL',
      set: { t: 'head(COLLECT { MATCH (u:User {id: n.owner}) RETURN u.t })' },
    };
    await perform(kind, step, contextOf('r1', { stepId: 'data.users' }), 4);
    await perform(kind, fillIn, contextOf('r1', { stepId: 'data.documents' }), 2);
    const { journal } = graph.system;
    const written: string[][] = [];
    for await (const values of journal?.writtenValues('r1', 'data.users', 't') ?? []) written.push([...values]);
    expect(written.map((values) => values.length)).toEqual([4, 4, 1]);
    expect(written[0]?.[0]).toBe('t1700000000000000');
    for await (const values of journal?.writtenValues('r1', 'data.users', 'other') ?? [])
      throw new Error(String(values));
    const all = written.flat();
    const foreign = async (run: string) =>
      [...((await journal?.foreignReferences(run, 'Document', 't', all)) ?? [])].sort();
    expect(await foreign('r1')).toEqual([]);
    expect(await foreign('another-run')).toEqual(all);
    await graph.query(
      `CREATE (:Document {id: 'new', t: '${all[3]}'}), (:Document {id: 'd44', t: '${all[5]}'}), (:Document {t: '${all[6]}'})`,
    );
    await graph.query(`MATCH (d:Document {id: 'd1'}) SET d.t = '${all[8]}'`);
    expect(await foreign('r1')).toEqual([all[3], all[5], all[6], all[8]]);
    expect([...((await journal?.foreignReferences('r1', 'Document', 't', [])) ?? [])]).toEqual([]);
    await expect(journal?.foreignReferences('r1', '_TasBatch', 'key', ['x'])).rejects.toMatchObject({
      code: 'not-allowed',
    });
  });

  it('counts what an undo kept as a reference like that of a stranger', async () => {
    await perform(kind, { ...step, set: { ...step.set, s: '1' } }, contextOf('r1'), 100);
    await graph.query("MATCH (n:User {id: 'u2'}) SET n.s = 2");
    const coupled = [['t', 's'].map((field) => ({ system: 'graph', collection: 'User', field }))];
    expect(await graph.system.journal?.foreignReferences('r1', 'User', 't', ['t1700000000000001'])).toEqual(new Set());
    await undo(kind, step, undoOf('b1', 'r1', { coupled }));
    expect(await graph.system.journal?.foreignReferences('r1', 'User', 't', ['t1700000000000001'])).toEqual(
      new Set(['t1700000000000001']),
    );
  });
});
