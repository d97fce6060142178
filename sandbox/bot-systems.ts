import type { Endpoints } from './servers/endpoints.ts';

/** Keeps a secret in a file of its owner and answers how the configuration names it. */
type Keep = (name: string, value: string) => Promise<string>;

type Section = { readonly [system: string]: object };

/** What of the platform goes around the stores, where its servers run. */
export interface Beside {
  /** The Python that has the library of the vectors. */
  readonly deeplakePython: string;
}

/**
 * The configuration's systems in the order in which a restore goes: what is referred to before what refers. `beside` = with
 * everything that the sandbox has around its stores.
 */
export async function systemsSection(endpoints: Endpoints, keep: Keep, beside: Beside | null): Promise<Section> {
  const stores = await storeSystems(endpoints, keep);
  if (beside === null) return stores;
  return {
    ...(await referredTo(endpoints, keep, beside)),
    ...stores,
    ...(await around(endpoints, keep)),
  };
}

async function storeSystems({ minio, neo4j, postgres }: Endpoints, keep: Keep): Promise<Section> {
  return {
    objects: {
      type: 'minio',
      url: minio.url,
      accessKey: minio.accessKey,
      secretKey: await keep('minio', minio.secretKey),
      bucket: minio.bucket,
    },
    graph: { type: 'neo4j', url: neo4j.url, user: neo4j.user, password: await keep('neo4j', neo4j.password) },
    relational: {
      type: 'postgres',
      host: postgres.host,
      port: postgres.port,
      database: postgres.database,
      user: postgres.user,
      password: await keep('postgres', postgres.password),
      tools: postgres.toolsFolder,
    },
  };
}

async function referredTo(
  { keycloak, vectors, embeddings, platform }: Endpoints,
  keep: Keep,
  { deeplakePython }: Beside,
): Promise<Section> {
  return {
    identities: {
      type: 'keycloak',
      url: keycloak.url,
      managementUrl: keycloak.managementUrl,
      realm: keycloak.realm,
      user: keycloak.user,
      password: await keep('keycloak', keycloak.password),
    },
    vectors: {
      type: 'deeplake',
      root: vectors.root,
      python: deeplakePython,
      embeddings: { url: embeddings.url, apiKey: await keep('embeddings', embeddings.apiKey) },
      service: { url: `${platform.url}/deeplake`, apiKey: await keep('deeplake-api', platform.apiKey) },
    },
  };
}

async function around({ kafka, redis, kubernetes, prometheus, platform }: Endpoints, keep: Keep): Promise<Section> {
  return {
    events: { type: 'kafka', brokers: kafka.brokers },
    cache: { type: 'redis', host: redis.host, port: redis.port, password: await keep('redis', redis.password) },
    cluster: {
      type: 'kubernetes',
      kubeconfig: kubernetes.kubeconfig,
      namespaces: ['tas-shared', 'aether-be', 'aether'],
      home: 'aether-be',
      maintenance: { namespace: 'aether-be', configMap: 'maintenance' },
      flags: { namespace: 'aether-be', configMap: 'feature-flags' },
    },
    metrics: { type: 'prometheus', url: prometheus.url },
    backend: {
      type: 'http',
      url: `${platform.url}/backend`,
      header: { name: 'X-Api-Key', value: await keep('platform', platform.apiKey) },
    },
    frontend: { type: 'http', url: `${platform.url}/frontend` },
  };
}
