import neo4j, { type Driver } from 'neo4j-driver';
import { liveStores } from '../../live-stores.ts';
import { describeSessionWatch } from '../session-watch.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { type FreshGraph, freshGraph } from './fresh-graph.ts';

async function openDriver(userAgent: string): Promise<Driver> {
  const { url, user, password } = liveStores().neo4j;
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password), { userAgent, maxConnectionPoolSize: 1 });
  await driver.executeQuery("RETURN 'private'");
  return driver;
}

describe('neo4j.await-no-sessions', () => {
  let graph: FreshGraph;

  afterEach(() => graph.close());

  describeSessionWatch('neo4j.await-no-sessions', async () => {
    graph = await freshGraph('journal-schema');
    return {
      system: graph.system,
      another: () => graph.another(),
      async use(application) {
        const driver = await openDriver(`${application}/1.2`);
        return () => driver.close();
      },
    };
  });

  it('counts connections that rest, unless the step says that only busy ones do', async () => {
    graph = await freshGraph('journal-schema');
    const driver = await openDriver('billing/1.2');
    try {
      const kind = kindOf(graph.system, 'neo4j.await-no-sessions');
      const input = { idle: false, within: '1s' };
      expect(await performAll(kind, input, stepContext(), 10)).toEqual([{ cursor: null, done: 1 }]);
      const session = driver.session();
      const open = await session.beginTransaction();
      await open.run('RETURN 1');
      await expect(performAll(kind, input, stepContext({ runId: 'run-2' }), 10)).rejects.toThrow(
        '1 session of billing',
      );
      await open.rollback();
      await session.close();
    } finally {
      await driver.close();
    }
  });
});
