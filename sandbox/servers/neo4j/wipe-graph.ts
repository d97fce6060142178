import type { Driver } from 'neo4j-driver';

/** Above this many nodes an empty folder and a start are sooner there than deleting. */
const mostNodes = 100_000;

/** Deletes all nodes, constraints, indexes and triggers of the database; false where there are too many nodes for it. */
export async function wipeGraph(driver: Driver): Promise<boolean> {
  const database = { database: 'neo4j' };
  const count = await driver.executeQuery('MATCH (n) RETURN count(n) AS nodes', {}, database);
  if (Number(count.records[0]?.get('nodes')) > mostNodes) return false;
  const triggers = await driver.executeQuery("CALL apoc.trigger.show('neo4j') YIELD name RETURN name", {}, system);
  if (triggers.records.length > 0) await driver.executeQuery("CALL apoc.trigger.dropAll('neo4j')", {}, system);
  const constraints = await driver.executeQuery('SHOW CONSTRAINTS YIELD name RETURN name', {}, database);
  for (const record of constraints.records) await drop(driver, 'CONSTRAINT', record.get('name'));
  const indexes = await driver.executeQuery(
    "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name",
    {},
    database,
  );
  for (const record of indexes.records) await drop(driver, 'INDEX', record.get('name'));
  const session = driver.session(database);
  try {
    await session.run('MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS');
  } finally {
    await session.close();
  }
  return true;
}

const system = { database: 'system' };

async function drop(driver: Driver, what: 'CONSTRAINT' | 'INDEX', name: string): Promise<void> {
  await driver.executeQuery(`DROP ${what} \`${name.replaceAll('`', '``')}\` IF EXISTS`, {}, { database: 'neo4j' });
}
