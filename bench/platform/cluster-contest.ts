import type { KubernetesEndpoint } from '../../sandbox/servers/endpoints.ts';
import { runProgram } from '../../sandbox/servers/run-program.ts';
import type { System } from '../../src/systems/system.ts';
import type { Contest } from '../kinds/contest.ts';
import { perform } from '../kinds/perform.ts';

/** What is stopped by hand, service by service, in this order; replicas as the sandbox has them. */
const services = [
  { namespace: 'aether', kind: 'Deployment', name: 'aether-frontend', replicas: 2 },
  { namespace: 'aether-be', kind: 'Deployment', name: 'aether-backend', replicas: 2 },
  { namespace: 'aether-be', kind: 'Deployment', name: 'audimodal', replicas: 1 },
  { namespace: 'aether-be', kind: 'Deployment', name: 'deeplake-api', replicas: 1 },
] as const;

/** Services stopped until their pods are gone, and started again until they are ready; `kubectl` = path of the program. */
export function clusterContest(cluster: System, { kubeconfig }: KubernetesEndpoint, kubectl: string): Contest {
  const run = (...args: string[]) =>
    runProgram(kubectl, ['--kubeconfig', kubeconfig, ...args], { advice: 'See what kubectl says.' });
  const refs = services.map(({ replicas: _, ...ref }) => ref);
  return {
    name: 'kubernetes.stop-services, then start-services',
    records: services.length,
    reset: async () => undefined,
    async ours() {
      const stopped = await perform(cluster, { use: 'kubernetes.stop-services', with: { services: refs } });
      const reversed = refs.toReversed();
      const started = await perform(cluster, { use: 'kubernetes.start-services', with: { services: reversed } });
      return { batches: stopped.batches + started.batches, records: services.length };
    },
    rivals: {
      async kubectl() {
        for (const { namespace, name } of services) {
          await run('--namespace', namespace, 'scale', `deployment/${name}`, '--replicas=0');
          const pods = `--selector=app.kubernetes.io/name=${name}`;
          await run('--namespace', namespace, 'wait', 'pod', pods, '--for=delete', '--timeout=60s');
        }
        for (const { namespace, name, replicas } of services.toReversed()) {
          await run('--namespace', namespace, 'scale', `deployment/${name}`, `--replicas=${replicas}`);
          await run('--namespace', namespace, 'rollout', 'status', `deployment/${name}`, '--timeout=60s');
        }
      },
    },
    async check() {
      for (const { namespace, name, replicas } of services) {
        const template = `--output=jsonpath={.spec.replicas}/{.status.readyReplicas}`;
        const found = await run('--namespace', namespace, 'get', `deployment/${name}`, template);
        if (found !== `${replicas}/${replicas}`) throw new Error(`${name} has ${found} replicas`);
      }
    },
  };
}
