import type { PostgresEndpoint, StoreEndpoints } from './endpoints.ts';

/** Stores that somebody else runs, used in place of our own. The sandbox never ends or empties those. */
export type GivenEndpoints = { readonly [Name in keyof StoreEndpoints]?: StoreEndpoints[Name] };

type Variables = { readonly [name: string]: string | undefined };

/** Reads the endpoints that `TEST_NEO4J_URL` and its like give. */
export function readGivenEndpoints(variables: Variables): GivenEndpoints {
  const tools = variables.TEST_POSTGRES_TOOLS || null;
  const { TEST_NEO4J_URL: neo4j, TEST_POSTGRES_URL: platform, TEST_BOT_POSTGRES_URL: bot } = variables;
  const minio = variables.TEST_MINIO_URL;
  return {
    ...(neo4j
      ? {
          neo4j: {
            url: neo4j,
            user: variables.TEST_NEO4J_USER || 'neo4j',
            password: variables.TEST_NEO4J_PASSWORD ?? '',
          },
        }
      : {}),
    ...(platform ? { postgres: readPostgresUrl(platform, 'tas_shared', tools) } : {}),
    ...(bot ? { botPostgres: readPostgresUrl(bot, 'tas_bot', tools) } : {}),
    ...(minio
      ? {
          minio: {
            url: minio,
            accessKey: variables.TEST_MINIO_ACCESS_KEY ?? '',
            secretKey: variables.TEST_MINIO_SECRET_KEY ?? '',
            bucket: 'aether-storage',
          },
        }
      : {}),
  };
}

/** The variables that say where the stores are: the other direction of `readGivenEndpoints`. */
export function endpointVariables(endpoints: StoreEndpoints): { readonly [name: string]: string } {
  return {
    TEST_NEO4J_URL: endpoints.neo4j.url,
    TEST_NEO4J_USER: endpoints.neo4j.user,
    TEST_NEO4J_PASSWORD: endpoints.neo4j.password,
    TEST_POSTGRES_URL: maintenanceUrl(endpoints.postgres),
    TEST_BOT_POSTGRES_URL: maintenanceUrl(endpoints.botPostgres),
    TEST_POSTGRES_TOOLS: endpoints.postgres.toolsFolder ?? '',
    TEST_MINIO_URL: endpoints.minio.url,
    TEST_MINIO_ACCESS_KEY: endpoints.minio.accessKey,
    TEST_MINIO_SECRET_KEY: endpoints.minio.secretKey,
  };
}

/** A URL that names no database, or the server's maintenance database, stands for the one of the sandbox's name. */
function readPostgresUrl(text: string, usual: string, toolsFolder: string | null): PostgresEndpoint {
  const url = new URL(text);
  const named = decodeURIComponent(url.pathname.slice(1));
  const database = named === '' || named === 'postgres' ? usual : named;
  url.pathname = `/${encodeURIComponent(database)}`;
  return {
    url: url.href,
    host: url.hostname,
    port: Number(url.port || 5432),
    database,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    toolsFolder,
  };
}

/** Tests make and drop databases of their own: they start from the maintenance database. */
function maintenanceUrl(endpoint: PostgresEndpoint): string {
  const url = new URL(endpoint.url);
  url.pathname = '/postgres';
  return url.href;
}
