import type { System } from '../../src/systems/system.ts';
import type { Contest } from './contest.ts';
import type { Graph } from './graph.ts';
import { perform, type Step } from './perform.ts';

/** A kind of the graph and the same work by hand; all of it over the nodes that `graph.ts` makes. */
interface GraphWork {
  readonly step: Step;
  /** What is selected, and the change of one row, over these variables; `$base` = a number for generated ids. */
  readonly hand: { readonly select: string; readonly rows: string; readonly change: string };
  /** Statements that bring the state before the pass back, however far a pass came. */
  readonly reset: readonly string[];
  /** Counting statements: `all` must find every record, `none` nothing. */
  readonly all: readonly string[];
  readonly none: readonly string[];
}

const account = { label: 'BenchAccount', key: 'id' } as const;
const note = { label: 'BenchNote', key: 'id' } as const;
const ends = { from: note, to: account } as const;
const inBatches = 'IN TRANSACTIONS OF 10000 ROWS';
const copied = `CREATE (m:BenchPage) SET m = properties(n)
  WITH n, m MATCH (n)-[r:OWNED_BY]->(o) CREATE (m)-[x:OWNED_BY]->(o) SET x = properties(r)`;

const works: readonly GraphWork[] = [
  {
    step: {
      use: 'neo4j.set-properties',
      with: {
        ...account,
        where: 'n.tenant_id IS NULL OR n.space_id IS NULL',
        set: {
          tenant_id: "coalesce(n.tenant_id, 'tenant_' + $sequence)",
          space_id: "coalesce(n.space_id, 'space_' + $sequence)",
        },
      },
    },
    hand: {
      select: 'MATCH (n:BenchAccount) WHERE n.tenant_id IS NULL OR n.space_id IS NULL',
      rows: 'n',
      change: "SET n.tenant_id = 'tenant_' + toString($base + id(n)), n.space_id = 'space_' + toString($base + id(n))",
    },
    reset: [`MATCH (n:BenchAccount) CALL (n) { REMOVE n.tenant_id, n.space_id } ${inBatches}`],
    all: [
      'MATCH (n:BenchAccount) RETURN count(DISTINCT n.tenant_id)',
      'MATCH (n:BenchAccount) WHERE substring(n.tenant_id, 7) = substring(n.space_id, 6) RETURN count(n)',
    ],
    none: [],
  },
  {
    step: { use: 'neo4j.rename-property', with: { ...account, from: 'full_name', to: 'display_name' } },
    hand: {
      select: 'MATCH (n:BenchAccount) WHERE n.full_name IS NOT NULL',
      rows: 'n',
      change: 'SET n.display_name = n.full_name REMOVE n.full_name',
    },
    reset: [
      `MATCH (n:BenchAccount) WHERE n.display_name IS NOT NULL
       CALL (n) { SET n.full_name = n.display_name REMOVE n.display_name } ${inBatches}`,
    ],
    all: ["MATCH (n:BenchAccount) WHERE n.display_name = 'Person number ' + toString(n.rank) RETURN count(n)"],
    none: ['MATCH (n:BenchAccount) WHERE n.full_name IS NOT NULL RETURN count(n)'],
  },
  {
    step: { use: 'neo4j.remove-property', with: { ...account, property: 'email' } },
    hand: { select: 'MATCH (n:BenchAccount) WHERE n.email IS NOT NULL', rows: 'n', change: 'REMOVE n.email' },
    reset: [
      `MATCH (n:BenchAccount) WHERE n.email IS NULL
       CALL (n) { SET n.email = 'person' + toString(n.rank) + '@example.org' } ${inBatches}`,
    ],
    all: ['MATCH (n:BenchAccount) WHERE n.email IS NULL RETURN count(n)'],
    none: [],
  },
  {
    step: {
      use: 'neo4j.create-nodes',
      with: {
        label: 'BenchHome',
        key: 'id',
        for: { ...account, where: 'true' },
        properties: { id: "'h-' + n.id", name: "n.email + ' at home'", type: "'personal'", created_at: 'n.created_at' },
        relationship: { type: 'OWNS', direction: 'from-source' },
      },
    },
    hand: {
      // No look whether one is there: the constraint refuses a second one, and the look would wait for its own inner transactions.
      select: 'MATCH (n:BenchAccount)',
      rows: 'n',
      change: `CREATE (n)-[:OWNS]->(:BenchHome {id: 'h-' + n.id, name: n.email + ' at home', type: 'personal', created_at: n.created_at})`,
    },
    reset: [`MATCH (h:BenchHome) CALL (h) { DETACH DELETE h } ${inBatches}`],
    all: [
      'MATCH (h:BenchHome) RETURN count(h)',
      `MATCH (n:BenchAccount)-[:OWNS]->(h:BenchHome {type: 'personal'})
       WHERE h.id = 'h-' + n.id AND h.name = n.email + ' at home' AND h.created_at = n.created_at RETURN count(DISTINCT n)`,
    ],
    none: [],
  },
  {
    step: {
      use: 'neo4j.copy-nodes',
      with: { from: { ...note, where: 'true' }, to: { label: 'BenchPage', key: 'id' } },
    },
    hand: {
      select: 'MATCH (n:BenchNote)',
      rows: 'n',
      change: copied,
    },
    reset: [`MATCH (m:BenchPage) CALL (m) { DETACH DELETE m } ${inBatches}`],
    all: [
      'MATCH (m:BenchPage) RETURN count(m)',
      `MATCH (n:BenchNote)-[r:OWNED_BY]->(o) MATCH (m:BenchPage) WHERE m.id = n.id MATCH (m)-[x:OWNED_BY]->(o)
       WHERE properties(m) = properties(n) AND properties(x) = properties(r) RETURN count(*)`,
    ],
    none: [],
  },
  {
    step: { use: 'neo4j.delete-nodes', with: { label: 'BenchPage', key: 'id', where: 'true' } },
    hand: { select: 'MATCH (n:BenchPage)', rows: 'n', change: 'DETACH DELETE n' },
    reset: [
      `MATCH (m:BenchPage) CALL (m) { DETACH DELETE m } ${inBatches}`,
      `MATCH (n:BenchNote) CALL (n) { ${copied} } ${inBatches}`,
    ],
    all: ['MATCH (:BenchNote)-[r:OWNED_BY]->(:BenchAccount) RETURN count(r)'],
    none: ['MATCH (m:BenchPage) RETURN count(m)'],
  },
  {
    step: {
      use: 'neo4j.set-relationship-properties',
      with: {
        type: 'OWNED_BY',
        ...ends,
        where: 'r.ownership_type IS NULL',
        set: { ownership_type: "'personal'", created_at: 'a.created_at' },
      },
    },
    hand: {
      select: 'MATCH (a:BenchNote)-[r:OWNED_BY]->(b:BenchAccount) WHERE r.ownership_type IS NULL',
      rows: 'a, r',
      change: "SET r.ownership_type = 'personal', r.created_at = a.created_at",
    },
    reset: [
      `MATCH (:BenchNote)-[r:OWNED_BY]->() CALL (r) { REMOVE r.ownership_type, r.created_at, r._tas_id } ${inBatches}`,
    ],
    all: [
      `MATCH (a:BenchNote)-[r:OWNED_BY]->() WHERE r.ownership_type = 'personal' AND r.created_at = a.created_at RETURN count(r)`,
    ],
    none: [],
  },
  {
    step: {
      use: 'neo4j.retype-relationships',
      with: { from: 'OWNED_BY', to: 'BELONGS_TO', ends },
    },
    hand: {
      select: 'MATCH (a:BenchNote)-[r:OWNED_BY]->(b:BenchAccount)',
      rows: 'a, r, b',
      change: 'CREATE (a)-[x:BELONGS_TO]->(b) SET x = properties(r) DELETE r',
    },
    reset: [
      `MATCH (a:BenchNote)-[r:BELONGS_TO]->(b) CALL (a, r, b) {
         CREATE (a)-[x:OWNED_BY]->(b) SET x = properties(r) REMOVE x._tas_id DELETE r } ${inBatches}`,
    ],
    all: [
      'MATCH (a:BenchNote)-[r:BELONGS_TO]->(b:BenchAccount) WHERE r.order_index = b.rank RETURN count(DISTINCT a)',
      'MATCH (:BenchNote)-[r:BELONGS_TO]->() RETURN count(r)',
    ],
    none: ['MATCH (:BenchNote)-[r:OWNED_BY]->() RETURN count(r)'],
  },
];

/** The journaled kinds of the graph against `CALL … IN TRANSACTIONS` and `apoc.periodic.iterate`, neither of which keeps a journal. */
export function graphContests(graph: Graph, system: System, records: number): Contest[] {
  return works.map(({ step, hand, reset, all, none }) => {
    const base = (): bigint => BigInt(Date.now()) * 1000n;
    return {
      name: step.use,
      records,
      async reset() {
        for (const statement of reset) await graph.run(statement);
      },
      ours: () => perform(system, step),
      rivals: {
        'CALL IN TRANSACTIONS': () =>
          graph.run(`${hand.select} CALL (${hand.rows}) { ${hand.change} } ${inBatches}`, { base: base() }),
        'apoc.periodic.iterate': () => graph.iterate(`${hand.select} RETURN ${hand.rows}`, hand.change, base()),
      },
      async check() {
        for (const [wanted, statements] of [[records, all] as const, [0, none] as const]) {
          for (const statement of statements) {
            const found = await graph.count(statement);
            if (found !== wanted) throw new Error(`${found} instead of ${wanted} by ${statement}`);
          }
        }
      },
    };
  });
}
