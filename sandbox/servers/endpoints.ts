/** Where the servers of one sandbox are, with what opens them: local throw-away passwords, safe to print. */
export interface Endpoints {
  readonly neo4j: Neo4jEndpoint;
  /** The platform's cluster: database `tas_shared`, user `tasuser`, who is its superuser. */
  readonly postgres: PostgresEndpoint;
  /** The bot's own cluster: database `tas_bot`, user `tas_bot`, who is its superuser. */
  readonly botPostgres: PostgresEndpoint;
  readonly minio: MinioEndpoint;
}

export interface Neo4jEndpoint {
  /** `bolt://127.0.0.1:port`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface PostgresEndpoint {
  /** With user, password and database. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** The folder with pg_dump, pg_restore and psql of the server's version; null = on the PATH. */
  readonly toolsFolder: string | null;
}

export interface MinioEndpoint {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The platform's bucket; versioned. */
  readonly bucket: string;
}
