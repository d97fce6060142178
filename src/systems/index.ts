import type { RevealSecret, SystemConfig } from '../config/config.ts';
import type { Logger } from '../shared/logger.ts';
import type { Seal } from '../shared/sealed.ts';
import type { Secret } from '../shared/secret.ts';
import { createDeeplakeSystem } from './deeplake/deeplake-system.ts';
import { createHttpSystem } from './http/http-system.ts';
import { createKafkaSystem } from './kafka/kafka-system.ts';
import { createKeycloakSystem } from './keycloak/keycloak-system.ts';
import { createKubernetesSystem } from './kubernetes/kubernetes-system.ts';
import { createMinioSystem } from './minio/minio-system.ts';
import { createNeo4jSystem } from './neo4j/neo4j-system.ts';
import { createPostgresSystem } from './postgres/postgres-system.ts';
import { createPrometheusSystem } from './prometheus/prometheus-system.ts';
import { createRedisSystem } from './redis/redis-system.ts';
import type { System } from './system.ts';

interface SystemDeps {
  readonly seal: Seal;
  readonly reveal: RevealSecret;
  readonly logger: Logger;
}

/** Every type of system: the only line to add for a new one. Making one opens no connection yet. */
const makers: {
  readonly [T in SystemConfig['type']]: (
    name: string,
    config: Extract<SystemConfig, { type: T }>,
    deps: SystemDeps,
  ) => System;
} = {
  neo4j: (name, { password, url, user, database, dataFolder }, { reveal, seal, logger }) =>
    createNeo4jSystem({
      name,
      url,
      user,
      password: reveal(password),
      seal,
      logger,
      ...(database ? { database } : {}),
      ...(dataFolder ? { dataFolder } : {}),
    }),
  postgres: (name, { password, host, port, database, user, tools, dataFolder }, { reveal, seal, logger }) =>
    createPostgresSystem({
      name,
      host,
      port,
      database,
      user,
      password: reveal(password),
      seal,
      logger,
      ...(tools ? { toolsFolder: tools } : {}),
      ...(dataFolder ? { dataFolder } : {}),
    }),
  minio: (name, { secretKey, url, accessKey, bucket, region }, { reveal, seal, logger }) =>
    createMinioSystem({
      name,
      url,
      accessKey,
      secretKey: reveal(secretKey),
      bucket,
      seal,
      logger,
      ...(region ? { region } : {}),
    }),
  kubernetes: (name, { namespaces, home, kubeconfig, context, maintenance, flags }, { seal, logger }) =>
    createKubernetesSystem({
      name,
      namespaces,
      home,
      seal,
      logger,
      maintenance,
      flags,
      ...(kubeconfig ? { kubeconfig } : {}),
      ...(context ? { context } : {}),
    }),
  deeplake: (name, { root, python, s3, service, embeddings }, { reveal, seal, logger }) =>
    createDeeplakeSystem({
      name,
      root,
      python,
      seal,
      logger,
      ...(s3 ? { s3: { ...s3, secretKey: reveal(s3.secretKey) } } : {}),
      ...(service ? { service: withKey(service, reveal) } : {}),
      ...(embeddings ? { embeddings: withKey(embeddings, reveal) } : {}),
    }),
  keycloak: (name, { password, url, realm, user, loginRealm, clientId, managementUrl }, { reveal }) =>
    createKeycloakSystem({
      name,
      url,
      realm,
      user,
      password: reveal(password),
      loginRealm,
      clientId,
      ...(managementUrl ? { managementUrl } : {}),
    }),
  kafka: (name, { brokers, tls, sasl }, { reveal, seal, logger }) =>
    createKafkaSystem({
      name,
      brokers,
      tls,
      seal,
      logger,
      ...(sasl ? { sasl: { ...sasl, password: reveal(sasl.password) } } : {}),
    }),
  redis: (name, { host, port, database, user, password, tls }, { reveal, seal, logger }) =>
    createRedisSystem({
      name,
      host,
      port,
      database,
      tls,
      seal,
      logger,
      ...(user ? { user } : {}),
      ...(password ? { password: reveal(password) } : {}),
    }),
  prometheus: (name, { url, token, budget }, { reveal }) =>
    createPrometheusSystem({ name, url, ...(token ? { token: reveal(token) } : {}), ...(budget ? { budget } : {}) }),
  http: (name, { url, health, header }, { reveal }) =>
    createHttpSystem({
      name,
      url,
      health,
      ...(header ? { header: { name: header.name, value: reveal(header.value) } } : {}),
    }),
};

function withKey(
  { url, apiKey }: { readonly url: string; readonly apiKey?: string | undefined },
  reveal: RevealSecret,
): { url: string; apiKey?: Secret } {
  return { url, ...(apiKey ? { apiKey: reveal(apiKey) } : {}) };
}

/** The system that a configuration describes. */
export function createSystem(name: string, config: SystemConfig, deps: SystemDeps): System {
  const make = makers[config.type] as (name: string, config: SystemConfig, deps: SystemDeps) => System;
  return make(name, config, deps);
}
