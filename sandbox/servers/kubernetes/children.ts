import { join } from 'node:path';
import type { SandboxState } from '../state.ts';

/** One server of the control plane. */
export interface Child {
  readonly name: string;
  readonly args: readonly string[];
  /** Answers 200 as soon as the next one may start; absent = at once. */
  readonly ready?: string;
}

export const otherPorts = ['etcd', 'peer', 'controllers', 'scheduler', 'kubelet'].map((name) => `kubernetes.${name}`);

export interface Layout {
  readonly data: string;
  readonly keys: string;
  readonly kubeconfig: string;
  readonly tokens: string;
  readonly kwok: string;
  readonly containerLogs: string;
}

export function layoutOf(folder: string): Layout {
  const home = join(folder, 'kubernetes');
  return {
    data: join(home, 'etcd'),
    keys: join(home, 'keys'),
    kubeconfig: join(home, 'kubeconfig'),
    tokens: join(home, 'keys/tokens.csv'),
    kwok: join(home, 'kwok.yaml'),
    containerLogs: join(home, 'container-logs'),
  };
}

/** In the order in which they start; they end in the opposite one. */
export function childrenOf(layout: Layout, { ports, fast }: Pick<SandboxState, 'ports' | 'fast'>): readonly Child[] {
  const port = (name: string): number => ports[`kubernetes.${name}`] ?? 0;
  const url = (name: string): string => `http://127.0.0.1:${port(name)}`;
  const { keys, kubeconfig } = layout;
  const api = ports.kubernetes;
  const client = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    (name) => `--${name}=${kubeconfig}`,
  );
  const quiet = ['--leader-elect=false', '--bind-address=127.0.0.1'];
  return [
    {
      name: 'etcd',
      args: [
        '--name=sandbox',
        '--log-level=warn',
        `--data-dir=${layout.data}`,
        `--listen-client-urls=${url('etcd')}`,
        `--advertise-client-urls=${url('etcd')}`,
        `--listen-peer-urls=${url('peer')}`,
        `--initial-advertise-peer-urls=${url('peer')}`,
        `--initial-cluster=sandbox=${url('peer')}`,
        ...(fast ? ['--unsafe-no-fsync'] : []),
      ],
      ready: `${url('etcd')}/health`,
    },
    {
      name: 'apiserver',
      args: [
        `--etcd-servers=${url('etcd')}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--secure-port=${api}`,
        `--cert-dir=${keys}`,
        '--service-cluster-ip-range=10.96.0.0/16',
        '--endpoint-reconciler-type=none',
        '--authorization-mode=RBAC',
        `--token-auth-file=${layout.tokens}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${keys}/accounts.pub`,
        `--service-account-signing-key-file=${keys}/accounts.key`,
        '--kubelet-preferred-address-types=InternalIP',
        '--profiling=false',
      ],
      ready: `https://127.0.0.1:${api}/readyz`,
    },
    {
      name: 'controller-manager',
      args: [
        ...client,
        ...quiet,
        `--secure-port=${port('controllers')}`,
        `--cert-dir=${keys}/controllers`,
        `--service-account-private-key-file=${keys}/accounts.key`,
        `--root-ca-file=${keys}/apiserver.crt`,
      ],
    },
    {
      name: 'scheduler',
      args: [...client, ...quiet, `--secure-port=${port('scheduler')}`, `--cert-dir=${keys}/scheduler`],
    },
    kwok(layout, port('kubelet')),
  ];
}

/** The fake kubelet; the API server asks it for logs, so it shows the API server's own certificate. */
function kwok({ keys, kubeconfig, kwok: config }: Layout, port: number): Child {
  return {
    name: 'kwok',
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--config=${config}`,
      '--manage-all-nodes=true',
      '--cidr=10.250.0.0/16',
      '--node-ip=127.0.0.1',
      // Renewed all the time; else the node would be held for dead after 40 seconds.
      '--node-lease-duration-seconds=40',
      `--node-port=${port}`,
      `--server-address=127.0.0.1:${port}`,
      `--tls-cert-file=${keys}/apiserver.crt`,
      `--tls-private-key-file=${keys}/apiserver.key`,
    ],
  };
}
