import type { SystemConfig } from '../src/config/config.ts';
import { createLogger } from '../src/shared/logger.ts';
import { createSeal } from '../src/shared/sealed.ts';
import { Secret } from '../src/shared/secret.ts';
import { createSystem } from '../src/systems/index.ts';
import type { StepKind } from '../src/systems/system.ts';

/** One of each type; they are asked for their kinds and open no connection. */
const configs: { readonly [T in SystemConfig['type']]: Extract<SystemConfig, { type: T }> } = {
  neo4j: { type: 'neo4j', url: 'bolt://127.0.0.1:1', user: 'nobody', password: 'env:NONE' },
  postgres: { type: 'postgres', host: '127.0.0.1', port: 1, database: 'none', user: 'nobody', password: 'env:NONE' },
  minio: { type: 'minio', url: 'http://127.0.0.1:1', accessKey: 'nobody', secretKey: 'env:NONE', bucket: 'none' },
  kubernetes: { type: 'kubernetes', kubeconfig: '/none', namespaces: ['none'], home: 'none' },
  deeplake: { type: 'deeplake', root: '/none', python: 'python3' },
  keycloak: {
    type: 'keycloak',
    url: 'http://127.0.0.1:1',
    realm: 'none',
    user: 'nobody',
    password: 'env:NONE',
    loginRealm: 'master',
    clientId: 'none',
  },
  kafka: { type: 'kafka', brokers: ['127.0.0.1:1'], tls: false },
  redis: { type: 'redis', host: '127.0.0.1', port: 1, database: 0, tls: false },
  prometheus: { type: 'prometheus', url: 'http://127.0.0.1:1' },
  http: { type: 'http', url: 'http://127.0.0.1:1', health: '/health' },
};

/** The step kinds of every type of system, by name. */
export async function listStepKinds(): Promise<readonly StepKind[]> {
  const deps = {
    seal: createSeal(Buffer.alloc(32)),
    reveal: () => new Secret('none'),
    logger: createLogger('silent'),
  };
  const systems = Object.entries(configs).map(([name, config]) => createSystem(name, config, deps));
  const kinds = systems.flatMap((system) => system.kinds);
  await Promise.all(systems.map((system) => system.close()));
  return kinds.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
