import { z } from 'zod';
import { connectTransport, type Transport } from '../../../src/systems/kubernetes/transport.ts';

/** The services that this process plays, with the namespace of their Deployment. */
export const services = {
  'aether-backend': 'aether-be',
  audimodal: 'aether-be',
  'deeplake-api': 'aether-be',
  'aether-frontend': 'aether',
} as const;
export type ServiceName = keyof typeof services;

interface ServiceState {
  readonly running: boolean;
  /** The image's tag. */
  readonly version: string;
}

/** What the cluster says; without one everything runs. */
export interface ClusterWatch {
  of(service: ServiceName): ServiceState;
  /** The message of maintenance mode; null = it is off. */
  maintenance(): string | null;
  look(): Promise<void>;
}

const deployments = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({
        template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }),
      }),
      status: z.object({ readyReplicas: z.number().optional() }).optional(),
    }),
  ),
});
const configMap = z.object({ data: z.record(z.string(), z.string()).optional() });

export function watchCluster(kubeconfig: string): ClusterWatch {
  const states = new Map<string, ServiceState>();
  let message: string | null = null;
  let api: Transport | null = null;
  const look = async (): Promise<void> => {
    api ??= connectTransport({ name: 'platform', kubeconfig });
    for (const namespace of new Set(Object.values(services))) {
      const { code, body } = await api.send({
        method: 'GET',
        path: `/apis/apps/v1/namespaces/${namespace}/deployments`,
      });
      if (code !== 200) return;
      const { items } = deployments.parse(JSON.parse(body));
      const names = Object.entries(services).flatMap(([name, home]) => (home === namespace ? [name] : []));
      for (const name of names) {
        const found = items.find((item) => item.metadata.name === name);
        const tag = found?.spec.template.spec.containers[0]?.image.split(':').at(-1);
        states.set(name, { running: (found?.status?.readyReplicas ?? 0) > 0, version: tag ?? 'none' });
      }
    }
    const path = '/api/v1/namespaces/aether-be/configmaps/maintenance';
    const { code, body } = await api.send({ method: 'GET', path });
    const data = code === 200 ? configMap.parse(JSON.parse(body)).data : undefined;
    message = data?.enabled === 'true' ? (data.message ?? '') : null;
  };
  return {
    of: (service) => states.get(service) ?? { running: true, version: 'v1.4.0' },
    maintenance: () => message,
    // A cluster that is not up, or does not answer for a moment, changes nothing of what is known.
    look: () =>
      look().catch(() => {
        api?.close();
        api = null;
      }),
  };
}
