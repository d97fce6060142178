import type { Session } from 'neo4j-driver';

const UNIQUE = ['User', 'Space', 'Notebook', 'Document', 'Chunk', 'Team', 'Organization', 'Migration'];

/** What the platform looks things up by. Nothing on User.personal_tenant_id: that is for a migration to bring. */
const INDEXED: readonly (readonly [label: string, property: string])[] = [
  ['User', 'username'],
  ['User', 'status'],
  ['Space', 'tenant_id'],
  ['Space', 'owner_id'],
  ['Notebook', 'owner_id'],
  ['Notebook', 'tenant_id'],
  ['Notebook', 'parent_id'],
  ['Document', 'owner_id'],
  ['Document', 'notebook_id'],
  ['Document', 'tenant_id'],
  ['Document', 'processing_job_id'],
  ['Chunk', 'document_id'],
];

/** Removes all nodes and relationships, all constraints, and all indexes but the two that find nodes and types. */
export async function wipeGraph(session: Session): Promise<void> {
  const constraints = await session.run('SHOW CONSTRAINTS YIELD name');
  for (const record of constraints.records)
    await session.run(`DROP CONSTRAINT ${quoted(record.get('name'))} IF EXISTS`);
  const indexes = await session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'");
  for (const record of indexes.records) await session.run(`DROP INDEX ${quoted(record.get('name'))} IF EXISTS`);
  await session.run('MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS');
}

/** Before the nodes: relationships find their ends by these. */
export async function createConstraints(session: Session, messy: boolean): Promise<void> {
  for (const label of UNIQUE) {
    await session.run(`CREATE CONSTRAINT ${label.toLowerCase()}_id FOR (n:${label}) REQUIRE n.id IS UNIQUE`);
  }
  // Somebody once made this one by hand, under a name that the platform's scripts do not know.
  const email = messy ? 'uniq_mail_2023' : 'user_email';
  await session.run(`CREATE CONSTRAINT ${email} FOR (n:User) REQUIRE n.email IS UNIQUE`);
}

/** After the nodes, which go in faster without; waits until all are online. */
export async function createIndexes(session: Session): Promise<void> {
  for (const [label, property] of INDEXED) {
    await session.run(`CREATE INDEX ${label.toLowerCase()}_${property} FOR (n:${label}) ON (n.${property})`);
  }
  await session.run('CALL db.awaitIndexes(3600)');
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}
