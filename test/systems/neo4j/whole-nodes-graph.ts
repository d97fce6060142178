import { type FreshGraph, wipe } from './fresh-graph.ts';

/**
 * Notebooks in a tree (within a batch and across batches), one that hangs on itself, twin relationships that differ in a
 * property only, an end with a key of its own and one without any.
 */
export async function seedNotebooks(graph: FreshGraph): Promise<void> {
  await wipe(graph.connection, 'journal-schema');
  await graph.query('CREATE CONSTRAINT user_id FOR (n:User) REQUIRE n.id IS UNIQUE');
  await graph.query('CREATE CONSTRAINT folder_id FOR (n:Folder) REQUIRE n.id IS UNIQUE');
  await graph.query(
    `CREATE (u:User {id: 'u1'}), (t:Tag {name: 'green'})
     WITH u, t UNWIND range(1, 7) AS i
     CREATE (n:Notebook {id: 'n' + i, name: 'Notebook ' + i, size: i, ratio: 1.0, at: datetime('2024-01-01T00:00:00Z'),
       tags: ['a', 'b'], place: point({x: i, y: 2})})
     CREATE (n)-[:OWNED_BY {since: date('2024-01-0' + i)}]->(u) CREATE (n)-[:TAGGED]->(t)`,
  );
  await graph.query(
    `MATCH (n:Notebook), (m:Notebook) WHERE [n.id, m.id] IN [['n1', 'n2'], ['n1', 'n5'], ['n6', 'n2'], ['n6', 'n7']]
     CREATE (n)-[:PARENT_OF {order: n.size}]->(m)`,
  );
  await graph.query(
    `MATCH (n:Notebook {id: 'n3'}), (u:User) CREATE (n)-[:NEXT]->(n)
     CREATE (u)-[:READ {page: 1}]->(n) CREATE (u)-[:READ {page: 2}]->(n) CREATE (u)-[:READ {page: 2}]->(n)`,
  );
}

/** The tree as it hangs together under a label, with everything else that hangs on it. */
export async function describeNotebooks(graph: FreshGraph, label: string): Promise<string[]> {
  const rows = await graph.query(
    `MATCH (n:${label}) OPTIONAL MATCH (n)-[r]-(o) WHERE NOT ANY(l IN labels(o) WHERE l IN $others)
     RETURN n.id + CASE WHEN startNode(r) = n THEN ' -' ELSE ' <-' END + coalesce(type(r), '') + ' '
       + coalesce(o.id, o.name, '') + ' ' + coalesce(toString(coalesce(r.since, r.page, r.order)), '')`,
    { others: label === 'Notebook' ? ['Folder'] : ['Notebook'] },
  );
  return rows.map(([text]) => String(text)).sort();
}
