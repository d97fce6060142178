/** Where the stores of one sandbox are, with what opens them: local throw-away passwords, safe to print. */
export interface StoreEndpoints {
  readonly neo4j: Neo4jEndpoint;
  /** The platform's cluster: database `tas_shared`, user `tasuser`, who is its superuser. */
  readonly postgres: PostgresEndpoint;
  /** The bot's own cluster: database `tas_bot`, user `tas_bot`, who is its superuser. */
  readonly botPostgres: PostgresEndpoint;
  readonly minio: MinioEndpoint;
}

/** The same for all servers of one sandbox. */
export interface Endpoints extends StoreEndpoints {
  readonly kubernetes: KubernetesEndpoint;
  readonly keycloak: KeycloakEndpoint;
  readonly kafka: KafkaEndpoint;
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
  readonly prometheus: { readonly url: string };
  /** Speaks OpenAI's `/v1/embeddings`; the URL ends with `/v1`. */
  readonly embeddings: { readonly url: string; readonly apiKey: string };
  /** Stands in for the platform's services. */
  readonly platform: { readonly url: string; readonly apiKey: string };
  /** DeepLake has no server: a folder of datasets. */
  readonly vectors: { readonly root: string };
}

export interface KafkaEndpoint {
  /** Ask for nothing. */
  readonly brokers: readonly string[];
  /** The same server, with SASL (plain): `admin` may do everything, `guest` nothing until he is given rights. */
  readonly securedBrokers: readonly string[];
  readonly password: string;
}

export interface KubernetesEndpoint {
  /** Path; contexts `admin` (current), and others that the sandbox makes. */
  readonly kubeconfig: string;
  readonly url: string;
}

export interface KeycloakEndpoint {
  readonly url: string;
  /** Serves `/health/ready`. */
  readonly managementUrl: string;
  readonly realm: string;
  /** Administrator of the realm `master`. */
  readonly user: string;
  readonly password: string;
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
