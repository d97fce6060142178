import type { Endpoints } from './servers/endpoints.ts';
import type { SandboxStatus, ServerStatus } from './servers/sandbox.ts';
import type { ServerName } from './servers/state.ts';

/** A sandbox's status for a person at a terminal, passwords included. */
export function showStatus(status: SandboxStatus): string {
  const { neo4j, postgres, botPostgres, minio } = status.endpoints;
  // Those beside the stores are told of where they are: few people bring them all up.
  const beside = besides(status.endpoints).filter(([name]) => status.servers[name].running);
  const { servers } = status;
  const tools = postgres.toolsFolder === null ? 'psql' : `${postgres.toolsFolder}/psql`;
  return [
    `Sandbox in ${status.folder} (${status.means === 'docker' ? 'containers' : 'local processes'}), ${sayData(status)}`,
    line('Neo4j', servers.neo4j, `${neo4j.url}  user ${neo4j.user}  password ${neo4j.password}`),
    line('PostgreSQL', servers.postgres, postgres.url),
    line("bot's PostgreSQL", servers.botPostgres, botPostgres.url),
    line(
      'MinIO',
      servers.minio,
      `${minio.url}  key ${minio.accessKey}  secret ${minio.secretKey}  bucket ${minio.bucket}`,
    ),
    ...beside.map(([name, title, endpoint]) => line(title, status.servers[name], endpoint)),
    `Look inside: ${tools} ${postgres.url}`,
    `Logs: ${status.folder}/logs   End it: npm run sandbox -- down`,
  ].join('\n');
}

function besides(endpoints: Endpoints): readonly (readonly [ServerName, string, string])[] {
  const { kubernetes, keycloak, kafka, redis, prometheus, embeddings, platform } = endpoints;
  return [
    ['kubernetes', 'Kubernetes', `${kubernetes.url}  kubectl --kubeconfig ${kubernetes.kubeconfig}`],
    ['keycloak', 'Keycloak', `${keycloak.url}  user ${keycloak.user}  password ${keycloak.password}`],
    ['kafka', 'Kafka', kafka.brokers.join()],
    ['redis', 'Redis', `${redis.host}:${redis.port}  password ${redis.password}`],
    ['prometheus', 'Prometheus', prometheus.url],
    ['embeddings', 'embeddings', `${embeddings.url}  key ${embeddings.apiKey}`],
    ['platform', 'services', `${platform.url}  key ${platform.apiKey}`],
  ];
}

function line(title: string, server: ServerStatus, endpoint: string): string {
  return `  ${server.running ? '✓' : '✗'} ${title.padEnd(17)} ${endpoint}${server.pid === null ? '' : `  process ${server.pid}`}`;
}

function sayData({ seeded }: SandboxStatus): string {
  if (seeded === null) return 'not filled by a seed';
  return typeof seeded === 'number' ? `filled with ${seeded} users` : `filled with the ${seeded} data`;
}
