import fc from 'fast-check';
import type { System } from '../../src/systems/system.ts';
import { liveStores } from '../live-stores.ts';
import { type FreshGraph, freshGraph } from '../systems/neo4j/fresh-graph.ts';
import { breaches, type Step, type Subject, scenes, type World, type Write } from './undo-law.ts';

const fields = ['colour', 'shade', 'note'];
const rounds = Number(process.env.TAS_LAW_ROUNDS ?? 40);

/** A graph of `Thing` and `Other` nodes by `id`, all values text. */
async function openSubject(): Promise<Subject> {
  const graph: FreshGraph = await freshGraph('journal-schema');
  for (const label of ['Thing', 'Other'])
    await graph.connection.command(`CREATE CONSTRAINT FOR (n:${label}) REQUIRE n.id IS UNIQUE`);
  let system: System = graph.system;
  const named = (record: string) => record.split(' ') as [string, string];
  const write = async (wanted: Write): Promise<boolean> => {
    const [label, id] = named(wanted.record);
    if (wanted.does === 'create') {
      const statement = `MERGE (n:${label} {id: $id}) ON CREATE SET n += $fields, n.fresh = true WITH n, n.fresh AS fresh REMOVE n.fresh RETURN fresh`;
      const [row] = await graph.query(statement, { id, fields: wanted.fields });
      return row?.[0] === true;
    }
    const change = wanted.does === 'delete' ? 'DETACH DELETE n' : `SET n.${wanted.field} = $value`;
    const value = wanted.does === 'set' ? wanted.value : null;
    const [row] = await graph.query(`MATCH (n:${label} {id: $id}) ${change} RETURN count(*)`, { id, value });
    return Number(row?.[0] ?? 0) > 0;
  };
  return {
    system: () => system,
    async begin(start) {
      await graph.connection.command('MATCH (n:Thing|Other) DETACH DELETE n');
      for (const each of start) await write(each);
    },
    async crash() {
      await system.close();
      system = graph.another();
    },
    async read() {
      const rows = await graph.query('MATCH (n:Thing|Other) RETURN labels(n)[0], n.id, properties(n)');
      return new Map(
        rows.map(([label, id, properties]) => {
          const { id: _, ...rest } = properties as { [name: string]: string };
          return [`${label} ${id}`, new Map(Object.entries(rest))];
        }),
      ) satisfies World;
    },
    write,
    close: () => graph.close(),
  };
}

const field = fc.constantFrom(...fields);
const where = fc.constantFrom('true', "n.colour = 'red'", 'n.shade IS NULL', "n.note <> 'blue'");
const expression = fc.constantFrom(
  "'painted'",
  "coalesce(n.colour, 'none') + '!'",
  "CASE WHEN n.shade IS NULL THEN 'v' + $sequence END",
  'n.note',
);
const label = fc.constantFrom('Thing', 'Other');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ label, where, set: fc.dictionary(field, expression, { minKeys: 1, maxKeys: 2 }) }).map((input) => ({
    use: 'neo4j.set-properties',
    input: { ...input, key: 'id' },
  })),
  where.map((condition) => ({
    use: 'neo4j.create-nodes',
    input: {
      label: 'Other',
      key: 'id',
      for: { label: 'Thing', key: 'id', where: condition },
      properties: { id: 'n.id', note: "'made'" },
      relationship: { type: 'MADE_FOR', direction: 'to-source' },
    },
  })),
);

const run = liveStores().neo4j ? it : it.skip;

describe('the law of undo in a graph', () => {
  run(
    'what is there after an undo is what would be there without the run, or is reported',
    async () => {
      const subject = await openSubject();
      let round = 0;
      try {
        await fc.assert(
          fc.asyncProperty(scenes({ collections: ['Thing', 'Other'], fields, steps: step }), async (scene) => {
            round += 1;
            expect(await breaches(subject, scene, String(round))).toEqual([]);
          }),
          { numRuns: rounds, endOnFailure: true },
        );
      } finally {
        await subject.close();
      }
    },
    600_000,
  );
});
