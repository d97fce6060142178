import { generateKeyPairSync } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chooseFreePort, isPortFree } from '../ports.ts';
import type { Server } from '../server.ts';
import type { SandboxState } from '../state.ts';
import { findTool } from '../toolbox.ts';
import { applyPlatform, resetPlatform, withApi } from './apply-platform.ts';
import { childrenOf, type Layout, layoutOf, otherPorts } from './children.ts';
import { kubernetesProgram } from './kubernetes-program.ts';
import { platformObjects } from './workloads.ts';

/** A control plane with a fake kubelet and the platform's workloads, supervised by one process. */
export const kubernetesServer: Server = {
  name: 'kubernetes',
  title: 'Kubernetes',
  readyWithinMs: 90_000,
  endsWithinMs: 60_000,
  async missingTools() {
    return (await kubernetesProgram.isBuilt()) || (await findTool('go')) !== null ? [] : ['go'];
  },
  async prepare({ folder, state, task }) {
    await kubernetesProgram.build(task);
    const layout = layoutOf(folder);
    for (const made of [layout.data, layout.keys, layout.containerLogs])
      await mkdir(made, { recursive: true, mode: 0o700 });
    const ports = { ...state.ports, ...(await freePorts(state)) };
    await writeKeys(layout, state.passwords.kubernetes);
    await writeFile(layout.kubeconfig, kubeconfigOf(layout, ports.kubernetes, state.passwords.kubernetes), {
      mode: 0o600,
    });
    await writeFile(layout.kwok, await kwokConfig(layout));
    await writeFile(childrenFile(folder), JSON.stringify(childrenOf(layout, { ports, fast: state.fast })));
    return { ports };
  },
  async describe({ folder }) {
    const supervisor = join(import.meta.dirname, 'supervise.ts');
    return {
      command: process.execPath,
      args: ['--no-warnings', supervisor, await kubernetesProgram.path(), childrenFile(folder), join(folder, 'logs')],
      mark: childrenFile(folder),
      stopSignal: 'SIGTERM',
      cwd: folder,
    };
  },
  async check({ kubernetes }) {
    try {
      return await withApi(kubernetes.kubeconfig, async (api) => {
        const { code } = await api.send({ method: 'GET', path: '/readyz' });
        return code === 200 ? applyPlatform(api) : `readyz answers ${code}`;
      });
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer';
    }
  },
  async wipe({ kubernetes }) {
    await withApi(kubernetes.kubeconfig, resetPlatform);
    return true;
  },
  dataFolders: ({ folder }) => [layoutOf(folder).data],
};

function childrenFile(folder: string): string {
  return join(folder, 'kubernetes/children.json');
}

/** Those of old, unless something else has taken one while the server was down. */
async function freePorts({ ports }: SandboxState): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  for (const name of otherPorts) {
    const before = ports[name];
    const usable = before !== undefined && (await isPortFree(before));
    chosen[name] = usable ? before : await chooseFreePort([...Object.values(ports), ...Object.values(chosen)]);
  }
  return chosen;
}

/** The keys that sign tokens of service accounts stay: pods and kubeconfigs hold such tokens. */
async function writeKeys({ keys, tokens }: Layout, secret: string): Promise<void> {
  const isThere = await access(join(keys, 'accounts.key')).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    await writeFile(join(keys, 'accounts.pub'), pair.publicKey);
    await writeFile(join(keys, 'accounts.key'), pair.privateKey, { mode: 0o600 });
  }
  const lines = [`${adminToken(secret)},sandbox-admin,1,"system:masters"`, `${botToken(secret)},tas-bot,2,"tas"`];
  await writeFile(tokens, `${lines.join('\n')}\n`, { mode: 0o600 });
}

const adminToken = (secret: string): string => `admin-${secret}`;
/** The user `tas-bot` may do nothing until a role is bound to that name. */
const botToken = (secret: string): string => `bot-${secret}`;

/** JSON is YAML. */
function kubeconfigOf({ keys }: Layout, port: number, secret: string): string {
  const server = `https://127.0.0.1:${port}`;
  const contexts = ['admin', 'bot'].map((name) => ({ name, context: { cluster: 'sandbox', user: name } }));
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server, 'certificate-authority': join(keys, 'apiserver.crt') } }],
    users: [
      { name: 'admin', user: { token: adminToken(secret) } },
      { name: 'bot', user: { token: botToken(secret) } },
    ],
    contexts,
    'current-context': 'admin',
  });
}

/** No container runs, so what `logs` shows comes from a file for each name of a container; tests write there. */
async function kwokConfig({ containerLogs }: Layout): Promise<string> {
  const stages = await readFile(join(import.meta.dirname, 'kwok.yaml'), 'utf8');
  const names = platformObjects().flatMap(({ path, manifest }) =>
    /(deployments|statefulsets)$/.test(path) ? [manifest.metadata.name] : [],
  );
  const logs = [...names, 'job'].map((name) => ({ containers: [name], logsFile: join(containerLogs, `${name}.log`) }));
  for (const { logsFile } of logs) await writeFile(logsFile, '', { flag: 'a' });
  const clusterLogs = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterLogs',
    metadata: { name: 'logs' },
    spec: { logs },
  };
  return `${stages}---\n${JSON.stringify(clusterLogs)}\n`;
}
