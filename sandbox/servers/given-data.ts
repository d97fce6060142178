import { Client } from 'minio';
import neo4j from 'neo4j-driver';
import pg from 'pg';
import { Failure } from '../../src/shared/failure.ts';
import type { MinioEndpoint, Neo4jEndpoint, PostgresEndpoint } from './endpoints.ts';
import type { GivenEndpoints } from './given-endpoints.ts';

/** Seeding replaces all data: refuses with `precondition-failed` where a store that somebody else runs holds any. */
export async function refuseHeldData(given: GivenEndpoints): Promise<void> {
  const held = await Promise.all([
    given.neo4j && holdsNodes(given.neo4j),
    given.postgres && holdsTables(given.postgres),
    given.minio && holdsObjects(given.minio),
  ]);
  const names = ['TEST_NEO4J_URL', 'TEST_POSTGRES_URL', 'TEST_MINIO_URL'].filter((_, index) => held[index] === true);
  if (names.length === 0) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `${names.join(' and ')} ${names.length === 1 ? 'names a store that holds' : 'name stores that hold'} data, which a seed would replace.`,
    advice: 'Empty it yourself, or unset the variable: then the sandbox has a store of its own. Nothing was changed.',
  });
}

async function holdsNodes({ url, user, password }: Neo4jEndpoint): Promise<boolean> {
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password));
  try {
    const answer = await driver.executeQuery('MATCH (n) RETURN n LIMIT 1', {}, { database: 'neo4j' });
    return answer.records.length > 0;
  } finally {
    await driver.close();
  }
}

async function holdsTables({ url }: PostgresEndpoint): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const answer = await client.query(
      "SELECT 1 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1",
    );
    return (answer.rowCount ?? 0) > 0;
  } finally {
    await client.end();
  }
}

async function holdsObjects({ url, accessKey, secretKey, bucket }: MinioEndpoint): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const useSSL = protocol === 'https:';
  const portNumber = port === '' ? (useSSL ? 443 : 80) : Number(port);
  const client = new Client({ endPoint: hostname, port: portNumber, useSSL, accessKey, secretKey });
  for await (const _ of client.listObjects(bucket, '', true, { IncludeVersion: true })) return true;
  return false;
}
