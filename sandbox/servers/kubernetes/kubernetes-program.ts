import { goProgram } from '../go-program.ts';

/** What the servers say that they are: without it they would call themselves v0.0.0, which clients do not trust. */
const version = { gitVersion: 'v1.36.3', gitMajor: '1', gitMinor: '36', gitTreeState: 'clean', gitCommit: 'go-module' };

/** etcd, three servers of Kubernetes and kwok: no package ships them. */
export const kubernetesProgram = goProgram({
  name: 'kubernetes',
  folder: import.meta.dirname,
  what: 'the control plane',
  ldflags: Object.entries({ ...version, buildDate: '2026-01-01T00:00:00Z' }).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  ),
  buildMs: 480_000,
  packages: 2_600,
});
