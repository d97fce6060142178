import { z } from 'zod';

/** `env:NAME` reads an environment variable, `file:/path` a file; a plain value is refused for secrets. */
export const secretRef = z
  .string()
  .regex(/^(env:[A-Z][A-Z0-9_]*|file:.+)$/, 'write env:NAME or file:/path, never the secret itself');

const neo4jSystem = z.strictObject({
  type: z.literal('neo4j'),
  url: z.string().regex(/^(bolt|neo4j)(\+s|\+ssc)?:\/\//),
  user: z.string(),
  password: secretRef,
  database: z.string().optional(),
  /** Where the server's data lies, if the bot sees it (one machine, a mounted volume); absent = its free disk is not checked. */
  dataFolder: z.string().optional(),
});

const postgresSystem = z.strictObject({
  type: z.literal('postgres'),
  host: z.string(),
  port: z.number().int(),
  database: z.string(),
  user: z.string(),
  password: secretRef,
  /** Where pg_dump and pg_restore are; absent = on the PATH. */
  tools: z.string().optional(),
  /** The server's data folder, where the bot can see it: then its free disk is looked at before a run. */
  dataFolder: z.string().optional(),
});

const minioSystem = z.strictObject({
  type: z.literal('minio'),
  url: z.url(),
  accessKey: z.string(),
  secretKey: secretRef,
  bucket: z.string(),
  region: z.string().optional(),
});

const kubernetesSystem = z.strictObject({
  type: z.literal('kubernetes'),
  /** Path of a kubeconfig; absent = the bot's own service account, inside of the cluster. */
  kubeconfig: z.string().optional(),
  /** Absent = the kubeconfig's current one. */
  context: z.string().optional(),
  /** Namespaces that steps may touch; everything else is refused. */
  namespaces: z.array(z.string()).min(1),
  /** The namespace that holds the bot's own lease and journal (ConfigMaps); one of `namespaces`, or one of its own. */
  home: z.string(),
  /** Where maintenance mode is written; absent = the cluster has none. */
  maintenance: z
    .strictObject({
      namespace: z.string(),
      configMap: z.string(),
      /** An ingress that gets these annotations while it is on (e.g. nginx's `permanent-redirect`). */
      ingress: z
        .strictObject({ namespace: z.string(), name: z.string(), annotations: z.record(z.string(), z.string()) })
        .optional(),
    })
    .optional(),
  /** Where feature flags in flagd's format are; absent = none. */
  flags: z
    .strictObject({ namespace: z.string(), configMap: z.string(), key: z.string().default('flags.json') })
    .optional(),
});

const deeplakeSystem = z.strictObject({
  type: z.literal('deeplake'),
  /** The folder or `s3://bucket/prefix` under which all datasets lie. */
  root: z
    .string()
    .refine(
      (root) => !root.startsWith('hub://'),
      'datasets in the hub cannot be migrated: copy them to a folder or bucket of yours first',
    ),
  /** A Python with the packages of `src/systems/deeplake/worker/requirements.txt`. */
  python: z.string().default('python3'),
  s3: z
    .strictObject({
      endpointUrl: z.url(),
      accessKey: z.string(),
      secretKey: secretRef,
      region: z.string().default('us-east-1'),
    })
    .optional(),
  /** The HTTP service in front of the datasets: health and search. */
  service: z.strictObject({ url: z.url(), apiKey: secretRef.optional() }).optional(),
  /** An endpoint that speaks OpenAI's `/v1/embeddings`; `url` ends before `/embeddings`. */
  embeddings: z.strictObject({ url: z.url(), apiKey: secretRef.optional() }).optional(),
});

const keycloakSystem = z.strictObject({
  type: z.literal('keycloak'),
  url: z.url(),
  realm: z.string(),
  user: z.string(),
  password: secretRef,
  /** The realm in which the user logs in. */
  loginRealm: z.string().default('master'),
  clientId: z.string().default('admin-cli'),
  /** Where `/health/ready` is served (Keycloak's management port); absent = health by the realm's public page alone. */
  managementUrl: z.url().optional(),
});

const kafkaSystem = z.strictObject({
  type: z.literal('kafka'),
  brokers: z.array(z.string()).min(1),
  tls: z.boolean().default(false),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      user: z.string(),
      password: secretRef,
    })
    .optional(),
});

const redisSystem = z.strictObject({
  type: z.literal('redis'),
  host: z.string(),
  port: z.number().int(),
  database: z.number().int().min(0).default(0),
  user: z.string().optional(),
  password: secretRef.optional(),
  tls: z.boolean().default(false),
});

const prometheusSystem = z.strictObject({
  type: z.literal('prometheus'),
  url: z.url(),
  token: secretRef.optional(),
  /** An error budget: while the query's value is above the limit, runs wait and then pause. */
  budget: z.strictObject({ query: z.string(), limit: z.number().positive(), title: z.string() }).optional(),
});

const httpSystem = z.strictObject({
  type: z.literal('http'),
  url: z.url(),
  /** Path that answers 200 when the service is well. */
  health: z.string().default('/health'),
  /** Header that is sent with every request, e.g. `Authorization`. */
  header: z.strictObject({ name: z.string(), value: secretRef }).optional(),
});

/** Everything that a platform keeps its data in, or that has to stand still or answer for it. */
export const systemConfig = z.discriminatedUnion('type', [
  neo4jSystem,
  postgresSystem,
  minioSystem,
  kubernetesSystem,
  deeplakeSystem,
  keycloakSystem,
  kafkaSystem,
  redisSystem,
  prometheusSystem,
  httpSystem,
]);
