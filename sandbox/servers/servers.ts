import { minioServer } from './minio/minio-server.ts';
import { neo4jServer } from './neo4j/neo4j-server.ts';
import { botPostgres, platformPostgres } from './postgres/postgres-server.ts';
import type { Server } from './server.ts';
import type { ServerName } from './state.ts';

/** What `--only` may name: one word may stand for several servers. */
export type ServerGroup = 'neo4j' | 'postgres' | 'minio';
export const serverGroups: { readonly [Group in ServerGroup]: readonly ServerName[] } = {
  neo4j: ['neo4j'],
  postgres: ['postgres', 'botPostgres'],
  minio: ['minio'],
};

export const servers: readonly Server[] = [neo4jServer, platformPostgres, botPostgres, minioServer];
