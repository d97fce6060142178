import { z } from 'zod';
import type { Secret } from '../shared/secret.ts';

const name = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'lower-case letters, digits and dashes, at most 40');

/** `env:NAME` reads an environment variable, `file:/path` a file; a plain value is refused for secrets. */
const secretRef = z
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

const group = z.strictObject({
  /** Slack user ids. */
  users: z.array(z.string()).default([]),
  /** A Slack user group's id. */
  group: z.string().optional(),
});

const environment = z.strictObject({
  production: z.boolean().default(true),
  /** The channel's name, without #. */
  channel: z.string(),
  approvals: z
    .strictObject({ required: z.number().int().min(0).default(1), expiresMinutes: z.number().int().min(1).default(60) })
    .default({ required: 1, expiresMinutes: 60 }),
  /** How far a changing step's count may have moved between vote and start. Steps that destroy: always 0. */
  tolerancePercent: z.number().min(0).max(50).default(3),
  /** Days for which what a run keeps aside (dropped columns, renamed tables) stays, from its end on: undo works until then. */
  holdDays: z.number().int().min(0).max(3650).default(14),
  /** Minutes after which a run that stopped while services are down undoes itself, unless somebody decides; absent = never. */
  undoAfterMinutes: z.number().int().min(1).max(1440).optional(),
  /** How many failures of stores are tried again in a run before it stops. */
  stopAfterErrors: z.number().int().min(1).max(10_000).default(10),
  /** Fields whose values may be shown in samples and conflicts, as `Collection.field`; everything else is masked. */
  show: z.array(z.string().regex(/^[^.]+\.[^.]+$/)).default([]),
  /** What migration files and checks call `${name}`. */
  variables: z.record(z.string(), z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/)).default({}),
  systems: z.record(
    name,
    z.discriminatedUnion('type', [
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
    ]),
  ),
});

export const configSchema = z.strictObject({
  bot: z.strictObject({
    database: secretRef,
    /** 32 bytes in base64: seals journals and signs manifests. */
    key: secretRef,
    backups: z.string(),
    packs: z.array(z.string()).default(['packs/tas']),
    /** Stable and unique per worker: the pod's name. */
    executor: z.string().default('worker-0'),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  }),
  slack: z.strictObject({
    mode: z.enum(['http', 'socket']),
    botToken: secretRef,
    signingSecret: secretRef.optional(),
    appToken: secretRef.optional(),
    port: z.number().int().min(0).default(3000),
    /** Only for a simulated workspace. */
    apiUrl: z.url().optional(),
  }),
  people: z.strictObject({
    viewers: group.default({ users: [] }),
    operators: group.default({ users: [] }),
    approvers: group.default({ users: [] }),
    /** Who may use the terminal: by token, or in a sandbox by name alone. */
    terminal: z
      .array(
        z.strictObject({
          user: z.string(),
          name: z.string(),
          tokenSha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional(),
        }),
      )
      .default([]),
    /** True lets `--as <name>` stand for the person without a token; refused when any environment is production. */
    trustNames: z.boolean().default(false),
  }),
  environments: z.record(name, environment),
});

export type Config = z.infer<typeof configSchema>;
export type EnvironmentConfig = Config['environments'][string];
export type SystemConfig = EnvironmentConfig['systems'][string];

/** Reads a secret reference of the configuration. */
export type RevealSecret = (reference: string) => Secret;
