import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { System } from '../../src/systems/system.ts';
import { liveStores } from '../live-stores.ts';
import { type FreshGraph, freshGraph } from '../systems/neo4j/fresh-graph.ts';
import { breaches, rounds, type Step, type Subject, scenes, type World, type Write } from './undo-law.ts';

// A law that holds at the second try does not hold.
jest.retryTimes(0);

const fields = ['colour', 'shade', 'note'];

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
    if (wanted.does === 'delete') {
      const [gone] = await graph.query(`MATCH (n:${label} {id: $id}) DETACH DELETE n RETURN count(*)`, { id });
      return Number(gone?.[0] ?? 0) > 0;
    }
    const { field, value } = wanted;
    const statement = `MATCH (n:${label} {id: $id}) WITH n, n.${field} AS old SET n.${field} = $value RETURN old`;
    const [row] = await graph.query(statement, { id, value });
    return row !== undefined && row[0] !== value;
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
const other = (name: string): string => (name === 'Thing' ? 'Other' : 'Thing');
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
  fc
    .record({ label, where, from: field, to: field, whenTaken: fc.constantFrom('keep-new', 'overwrite') })
    .filter(({ from, to }) => from !== to)
    .map((input) => ({ use: 'neo4j.rename-property', input: { ...input, key: 'id' } })),
  fc.record({ label, where, property: field }).map((input) => ({
    use: 'neo4j.remove-property',
    input: { ...input, key: 'id' },
  })),
  fc.record({ label, where }).map(({ label: from, where: condition }) => ({
    use: 'neo4j.copy-nodes',
    input: {
      from: { label: from, key: 'id', where: condition },
      to: { label: other(from), key: 'id' },
      stamp: { migrated_from: `'${from}'` },
    },
  })),
  fc.record({ label, where }).map((input) => ({ use: 'neo4j.delete-nodes', input: { ...input, key: 'id' } })),
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
