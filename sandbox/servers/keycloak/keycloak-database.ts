import pg from 'pg';
import type { PostgresEndpoint } from '../endpoints.ts';

/** Beside the platform's own database, in the same server, as on the platform. */
export const keycloakDatabase = 'keycloak';

/** Makes the database where it is missing; null when it is there, else why the server does not serve. */
export async function ensureKeycloakDatabase(endpoint: PostgresEndpoint): Promise<string | null> {
  const { host, port, user, password } = endpoint;
  const client = new pg.Client({ host, port, user, password, database: 'postgres', connectionTimeoutMillis: 3_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [keycloakDatabase]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(keycloakDatabase)}`);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : 'no answer';
  } finally {
    await client.end().catch(() => undefined);
  }
}
