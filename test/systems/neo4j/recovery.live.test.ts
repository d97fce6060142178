import { jest } from '@jest/globals';
import { cypherText, recoveryStatements } from '../../../src/systems/neo4j/recovery.ts';
import { contextOf, type FreshGraph, freshGraph, kindOf, perform } from './fresh-graph.ts';

jest.setTimeout(60_000);

let graph: FreshGraph;

beforeAll(async () => {
  graph = await freshGraph();
});
afterAll(() => graph.close());

it('shows the fence, open transactions and the journal of exactly this run', async () => {
  await graph.query("UNWIND range(1, 9) AS i CREATE (:User {id: 'u' + i})");
  const step = { label: 'User', key: 'id', where: 'n.t IS NULL', set: { t: "'t' + $sequence" } };
  await perform(kindOf(graph.system, 'neo4j.set-properties'), step, contextOf('run-a'));
  const context = contextOf('run-a');
  const statements = recoveryStatements({ environment: context.fence.environment, runIds: ['run-a', "b'\\ \n"] });
  const [fence, open, journal] = await Promise.all(statements.map(({ statement }) => graph.query(statement)));
  expect(fence?.map(([environment, token]) => [environment, Number(token)])).toEqual([
    [context.fence.environment, context.fence.token],
  ]);
  expect(open?.length).toBeGreaterThan(0);
  expect(journal?.map(([run, name, , done]) => [run, name, Number(done)])).toEqual([['run-a', context.stepId, 9]]);
});

it.each(["it's", 'back\\slash', 'two\nlines', "\\'}) DETACH DELETE n //", 'Größe 😀\u2028', '\u0000'])(
  'takes %j for a text',
  async (text) => {
    expect(await graph.query(`RETURN ${cypherText(text)}`)).toEqual([[text]]);
  },
);
