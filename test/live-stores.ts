import type { Endpoints } from '../sandbox/servers/endpoints.ts';

/** Where the real stores of the live tests are. `test/live-setup.ts` brings them up and sets these variables. */
export interface LiveStores {
  readonly neo4j: { readonly url: string; readonly user: string; readonly password: string };
  /** A superuser's URL on the platform's cluster, with password; database `postgres`. */
  readonly postgres: { readonly url: string };
  /** The same on the bot's own cluster. */
  readonly botPostgres: { readonly url: string };
  readonly minio: { readonly url: string; readonly accessKey: string; readonly secretKey: string };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run live tests with "npm test", which brings the stores up`);
  return value;
}

export function liveStores(): LiveStores {
  return {
    neo4j: {
      url: required('TEST_NEO4J_URL'),
      user: required('TEST_NEO4J_USER'),
      password: required('TEST_NEO4J_PASSWORD'),
    },
    postgres: { url: required('TEST_POSTGRES_URL') },
    botPostgres: { url: required('TEST_BOT_POSTGRES_URL') },
    minio: {
      url: required('TEST_MINIO_URL'),
      accessKey: required('TEST_MINIO_ACCESS_KEY'),
      secretKey: required('TEST_MINIO_SECRET_KEY'),
    },
  };
}

/** Where every server of the test's sandbox is: those beside the stores too. */
export function liveEndpoints(): Endpoints {
  return JSON.parse(required('TEST_ENDPOINTS')) as Endpoints;
}
