import type { Finding } from '../finding.ts';
import type { PreflightNeeds } from '../system.ts';
import type { Cluster } from './client.ts';
import type { ClusterKind } from './kinds/index.ts';
import { isAllowed, type Right, sayRight } from './rights.ts';

/** Journal, fence, and the mark of who holds the environment. */
const ofTheBot: readonly Right[] = [
  ...(['get', 'list', 'create', 'patch'] as const).map((verb) => ({ verb, kind: 'ConfigMap', home: true }) as const),
  ...(['get', 'create', 'patch', 'delete'] as const).map((verb) => ({ verb, kind: 'Lease', home: true }) as const),
];
/** What stands and who intrudes is looked at before each batch. */
const ofTheWatch: readonly Right[] = [
  { verb: 'list', kind: 'Deployment' },
  { verb: 'list', kind: 'StatefulSet' },
  { verb: 'list', kind: 'Pod' },
];
/** What every run needs, whatever its steps are. */
export const rightsOfEveryRun: readonly Right[] = [...ofTheBot, ...ofTheWatch];
const atOnce = 8;

/** What a plan needs of cluster and rights, asked of the server itself. Writes nothing. */
export async function preflight(
  cluster: Cluster,
  kinds: readonly ClusterKind[],
  needs: PreflightNeeds,
): Promise<readonly Finding[]> {
  const used = kinds.filter(({ kind }) => needs.uses.includes(kind.name)).flatMap(({ rights }) => rights);
  return [await checkRights(cluster, [...rightsOfEveryRun, ...used])];
}

async function checkRights(cluster: Cluster, rights: readonly Right[]): Promise<Finding> {
  const asked = new Map<string, { readonly right: Right; readonly namespace: string }>();
  for (const right of rights) {
    const namespaces = right.home ? [cluster.home] : cluster.namespaces;
    for (const namespace of namespaces) asked.set(sayRight(right, namespace), { right, namespace });
  }
  const denied: string[] = [];
  const queue = [...asked];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, { right, namespace }] = next;
      if (!(await isAllowed(cluster, right, namespace))) denied.push(name);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  denied.sort();
  const title = 'The bot may do in the cluster what the steps need';
  if (denied.length === 0) return { check: 'cluster-rights', title, status: 'passed', count: 0, samples: [] };
  return {
    check: 'cluster-rights',
    title: `The bot may not: ${denied.slice(0, 3).join('; ')}${denied.length > 3 ? ` and ${denied.length - 3} more` : ''}`,
    status: 'failed',
    count: denied.length,
    samples: denied.slice(0, 5),
    advice: 'Grant it with a Role and RoleBinding in each of these namespaces.',
  };
}
