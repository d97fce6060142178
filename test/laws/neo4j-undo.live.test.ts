import { jest } from '@jest/globals';
import fc from 'fast-check';
import type { System } from '../../src/systems/system.ts';
import { liveStores } from '../live-stores.ts';
import { type FreshGraph, freshGraph } from '../systems/neo4j/fresh-graph.ts';
import { breaches, lottery, type Step, type Subject, scenes, type World, type Write } from './undo-law.ts';

// A law that holds at the second try does not hold.
jest.retryTimes(0);

const fields = ['colour', 'shade', 'note'];

/** A graph of `Thing` and `Other` nodes by `id`, all values text. */
async function openSubject(): Promise<Subject> {
  const graph: FreshGraph = await freshGraph('journal-schema');
  for (const label of ['Thing', 'Other'])
    await graph.connection.command(`CREATE CONSTRAINT FOR (n:${label}) REQUIRE n.id IS UNIQUE`);
  let system: System = graph.system;
  const write = async (wanted: Write): Promise<boolean> => {
    const { match, make, parameters } = addressOf(wanted.record);
    if (wanted.does === 'create') {
      // MERGE alone cannot tell whether it made something.
      const there = await graph.query(`${match} RETURN count(*)`, parameters);
      if (Number(there[0]?.[0]) > 0) return false;
      const made = await graph.query(`${make} SET n += $fields RETURN 1`, { ...parameters, fields: wanted.fields });
      return made.length > 0;
    }
    if (wanted.does === 'delete') {
      const change = wanted.record.includes('→') ? 'DELETE n' : 'DETACH DELETE n';
      const [gone] = await graph.query(`${match} ${change} RETURN count(*)`, parameters);
      return Number(gone?.[0] ?? 0) > 0;
    }
    const { field, value } = wanted;
    const statement = `${match} WITH n, n.${field} AS old SET n.${field} = $value RETURN old`;
    const [row] = await graph.query(statement, { ...parameters, value });
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
      const nodes = await graph.query('MATCH (n:Thing|Other) RETURN labels(n)[0], n.id, properties(n)');
      const ties = await graph.query(
        "MATCH (a)-[r]->(b) RETURN type(r), a.id + ' → ' + b.id, properties(r), labels(a)[0] + '→' + labels(b)[0]",
      );
      const world: World = new Map();
      for (const [name, id, properties, ends] of [...nodes, ...ties]) {
        const { id: _, ...rest } = properties as { [name: string]: string };
        const record = `${name} ${id}`;
        // Several of one type between records of these ids: told apart by the labels of their ends, and counted.
        const held = world.get(record) ?? new Map<string, string>();
        for (const [field, value] of Object.entries(rest)) held.set(field, value);
        if (ends) held.set(String(ends), `${held.get(String(ends)) ?? ''}|`);
        world.set(record, held);
      }
      return world;
    },
    write,
    goesWith: (record, deleted) => {
      const [, from, to] = /^\S+ (\S+) → (\S+)$/.exec(record) ?? [];
      return from !== undefined && (deleted === `Thing ${from}` || deleted === `Other ${to}`);
    },
    close: () => graph.close(),
  };
}

/** Nodes by label and id, relationships of `Thing` to `Other` by type and the ids of both. */
function addressOf(record: string): { match: string; make: string; parameters: { [name: string]: string } } {
  const [, type, from, to] = /^(\S+) (\S+) → (\S+)$/.exec(record) ?? [];
  if (type !== undefined && from !== undefined && to !== undefined) {
    return {
      match: `MATCH (:Thing {id: $from})-[n:${type}]->(:Other {id: $to})`,
      make: `MATCH (a:Thing {id: $from}), (b:Other {id: $to}) CREATE (a)-[n:${type}]->(b)`,
      parameters: { from, to },
    };
  }
  const [label, id] = record.split(' ') as [string, string];
  return { match: `MATCH (n:${label} {id: $id})`, make: `CREATE (n:${label} {id: $id})`, parameters: { id } };
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
  fc
    .record({ set: fc.dictionary(field, fc.constantFrom('a.colour', "'tied'", 'b.note'), { minKeys: 1 }) })
    .map(({ set }) => ({
      use: 'neo4j.set-relationship-properties',
      input: { type: 'LINK', from: { label: 'Thing', key: 'id' }, to: { label: 'Other', key: 'id' }, set },
    })),
  fc.constantFrom('merge', 'keep-both', 'refuse').map((whenThere) => ({
    use: 'neo4j.retype-relationships',
    input: {
      from: 'LINK',
      to: 'TIED',
      ends: { from: { label: 'Thing', key: 'id' }, to: { label: 'Other', key: 'id' } },
      whenThere,
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
          fc.asyncProperty(
            scenes({ collections: ['Thing', 'Other'], relationships: ['LINK', 'TIED'], fields, steps: step }),
            async (scene) => {
              round += 1;
              expect(await breaches(subject, scene, String(round))).toEqual([]);
            },
          ),
          lottery,
        );
      } finally {
        await subject.close();
      }
    },
    600_000,
  );
});
