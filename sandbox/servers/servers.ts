import { embeddingsServer } from './embeddings/embeddings-server.ts';
import { kafkaServer } from './kafka/kafka-server.ts';
import { keycloakServer } from './keycloak/keycloak-server.ts';
import { kubernetesServer } from './kubernetes/kubernetes-server.ts';
import { minioServer } from './minio/minio-server.ts';
import { neo4jServer } from './neo4j/neo4j-server.ts';
import { platformServer } from './platform/platform-server.ts';
import { botPostgres, platformPostgres } from './postgres/postgres-server.ts';
import { prometheusServer } from './prometheus/prometheus-server.ts';
import { redisServer } from './redis/redis-server.ts';
import type { Server } from './server.ts';
import type { ServerName } from './state.ts';

/** What `--only` may name: one word may stand for several servers. */
export const serverGroups = {
  neo4j: ['neo4j'],
  postgres: ['postgres', 'botPostgres'],
  minio: ['minio'],
  kubernetes: ['kubernetes'],
  // It keeps its data in the platform's PostgreSQL.
  keycloak: ['keycloak', 'postgres'],
  kafka: ['kafka'],
  redis: ['redis'],
  prometheus: ['prometheus'],
  embeddings: ['embeddings'],
  platform: ['platform'],
} as const satisfies { readonly [group: string]: readonly ServerName[] };
export type ServerGroup = keyof typeof serverGroups;

/** The stores, without which there is no sandbox: what comes up when nothing is named. */
export const storeGroups: readonly ServerGroup[] = ['neo4j', 'postgres', 'minio'];

export const servers: readonly Server[] = [
  neo4jServer,
  platformPostgres,
  botPostgres,
  minioServer,
  kubernetesServer,
  keycloakServer,
  kafkaServer,
  redisServer,
  prometheusServer,
  embeddingsServer,
  platformServer,
];
