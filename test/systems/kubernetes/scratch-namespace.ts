import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { Json, JsonObject } from '../../../src/shared/json.ts';
import { createSeal } from '../../../src/shared/sealed.ts';
import { createKubernetesSystem, type KubernetesOptions } from '../../../src/systems/kubernetes/kubernetes-system.ts';
import { connectTransport, type Transport } from '../../../src/systems/kubernetes/transport.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';

/** A namespace of a test's own on the real API server, and one for the bot beside it. */
export interface ScratchNamespace {
  readonly name: string;
  readonly home: string;
  /** The administrator's connection. */
  readonly api: Transport;
  system(over?: Partial<KubernetesOptions>): System;
  /** Answers what the server made of it. */
  make(path: string, manifest: JsonObject): Promise<JsonObject>;
  read(path: string): Promise<Loose>;
  patch(path: string, patch: JsonObject): Promise<void>;
  remove(path: string): Promise<void>;
  deploy(
    name: string,
    options?: { replicas?: number; image?: string; kind?: 'Deployment' | 'StatefulSet' },
  ): Promise<Service>;
  /** Makes workloads of the namespace and waits until they are ready. */
  ready(...services: readonly Service[]): Promise<void>;
  /** Everything that was made, namespaces included. */
  close(): Promise<void>;
}

export interface Service {
  readonly namespace: string;
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly name: string;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look at any field of any manifest
export type Loose = any;

/** `/apis/apps/v1/namespaces/x/deployments/y`. */
export function pathTo({ namespace, kind, name }: Service): string {
  return `/apis/apps/v1/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`;
}

export async function scratchNamespace(): Promise<ScratchNamespace> {
  const name = `scratch-${randomUUID().slice(0, 8)}`;
  const home = `${name}-home`;
  const { kubeconfig } = liveEndpoints().kubernetes;
  const api = connectTransport({ name: 'test', kubeconfig });
  const opened: System[] = [];
  const send = async (method: string, path: string, body?: Json, type?: string): Promise<Loose> => {
    const answer = await api.send({ method, path, ...(body === undefined ? {} : { body }), ...(type ? { type } : {}) });
    if (answer.code >= 300) throw new Error(`${method} ${path}: ${answer.code} ${answer.body}`);
    return JSON.parse(answer.body);
  };
  for (const made of [name, home]) await send('POST', '/api/v1/namespaces', { metadata: { name: made } });
  const scratch: ScratchNamespace = {
    name,
    home,
    api,
    system(over = {}) {
      const seal = createSeal(Buffer.alloc(32, 7));
      const logger = pino({ level: 'silent' });
      const system = createKubernetesSystem({
        name: 'cluster',
        kubeconfig,
        namespaces: [name],
        home,
        seal,
        logger,
        ...over,
      });
      opened.push(system);
      return system;
    },
    make: (path, manifest) => send('POST', path, manifest),
    read: (path) => send('GET', path),
    patch: (path, patch) => send('PATCH', path, patch, 'application/merge-patch+json'),
    remove: (path) => send('DELETE', path),
    async deploy(service, { replicas = 1, image = `${service}:v1.4.0`, kind = 'Deployment' } = {}) {
      const labels = { app: service };
      const spec = {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 0, containers: [{ name: service, image }] },
        },
        ...(kind === 'StatefulSet' ? { serviceName: service } : {}),
      };
      const made = { namespace: name, kind, name: service };
      await send('POST', pathTo(made).slice(0, -service.length - 1), { metadata: { name: service, labels }, spec });
      return made;
    },
    async ready(...services) {
      for (const service of services) {
        await until(async () => {
          const { spec, status } = await send('GET', pathTo(service));
          return (status.readyReplicas ?? 0) === spec.replicas && (status.updatedReplicas ?? 0) === spec.replicas;
        });
      }
    },
    async close() {
      await Promise.all(opened.map((system) => system.close()));
      for (const made of [name, home]) await api.send({ method: 'DELETE', path: `/api/v1/namespaces/${made}` });
      api.close();
    },
  };
  return scratch;
}

/** Polls for a condition, for at most 30 seconds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come about in 30 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
