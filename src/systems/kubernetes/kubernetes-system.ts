import { z } from 'zod';
import { Failure } from '../../shared/failure.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Seal } from '../../shared/sealed.ts';
import type { Finding } from '../finding.ts';
import type { Health, System } from '../system.ts';
import { type Cluster, type ClusterOptions, connectCluster } from './client.ts';
import { createDataModel } from './data-model.ts';
import { toFailure } from './failure.ts';
import { createFence } from './fence.ts';
import { createHolderLease } from './holder-lease.ts';
import { createJournal } from './journal.ts';
import { kindMakers } from './kinds/index.ts';
import { readMaintenance } from './maintenance.ts';
import type { KindSetting } from './part.ts';
import { preflight } from './preflight.ts';
import { recovery } from './recovery.ts';
import { pathOf, resources } from './resources.ts';
import { readIntrusions, readStanding } from './standing.ts';

export interface KubernetesOptions extends ClusterOptions {
  readonly seal: Seal;
  readonly logger: Logger;
  readonly maintenance?: KindSetting['maintenance'] | undefined;
  readonly flags?: KindSetting['flags'] | undefined;
}

/** One cluster, as far as the namespaces of the configuration go. Connects at the first use. */
export function createKubernetesSystem(options: KubernetesOptions): System {
  const { name, seal, logger, maintenance, flags } = options;
  const cluster = connectCluster(options);
  const journal = createJournal(cluster, seal);
  const fence = createFence(cluster);
  const holder = createHolderLease(cluster);
  const setting: KindSetting = {
    system: name,
    cluster,
    journal,
    fence,
    seal,
    ...(maintenance ? { maintenance } : {}),
    ...(flags ? { flags } : {}),
  };
  const kinds = kindMakers.map((make) => make(setting));
  const dataModel = createDataModel(cluster, fence);
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const failure = toFailure(error, cluster.place);
      if (failure !== error) logger.debug({ err: error, system: name }, 'kubernetes failed');
      throw failure;
    }
  };
  return {
    name,
    type: 'kubernetes',
    kinds: kinds.map(({ kind }) => kind),
    identity: () => guard(() => readIdentity(cluster)),
    checkHealth: () => checkHealth(cluster),
    advanceFence: (token) => guard(() => fence.raise(token)),
    journal: {
      // What a run writes here are fields of objects: no record of another store refers to them.
      async *writtenValues() {},
      foreignReferences: () => Promise.resolve(new Set()),
      conflicts: (runId, stepId, limit) => guard(() => journal.conflicts({ runId, stepId }, limit)),
    },
    preflight: (needs) =>
      guard(async () => {
        // Plans are bound to the cluster by its identity: a bot that may not ask for it can make none.
        await readIdentity(cluster);
        return preflight(cluster, kinds, needs);
      }).catch((error: unknown) => [unreachableFinding(error)]),
    standing: (runIds) =>
      guard(async () => [
        ...(await readStanding(cluster, journal, runIds)),
        ...(await readMaintenance(cluster, maintenance, runIds)),
      ]),
    intrusions: (runIds) => guard(() => readIntrusions(cluster, runIds)),
    dataModel: {
      read: () => guard(() => dataModel.read()),
      write: (version, token) => guard(() => dataModel.write(version, token)),
    },
    recovery: (run) => recovery(options, run),
    holder: {
      hold: (wanted) => guard(() => holder.hold(wanted)),
      release: (environment, runId) => guard(() => holder.release(environment, runId)),
      read: (environment) => guard(() => holder.read(environment)),
    },
    async close() {
      cluster.close();
    },
  };
}

const namespaceSchema = z.object({ metadata: z.object({ uid: z.string().min(1) }) });

/** The UID of kube-system: it lives as long as the cluster does. */
async function readIdentity(cluster: Cluster): Promise<string> {
  const body = await cluster.request(
    { verb: 'get', resource: 'namespaces', namespace: null, name: 'kube-system' },
    { method: 'GET', path: pathOf(resources.Namespace, null, 'kube-system') },
  );
  return namespaceSchema.parse(JSON.parse(body ?? '')).metadata.uid;
}

const versionSchema = z.object({ gitVersion: z.string() });

/** Asks for the identity too: a server that answers strangers only is of no use. */
async function checkHealth(cluster: Cluster): Promise<Health> {
  const started = performance.now();
  const latency = (): number => Math.round(performance.now() - started);
  try {
    const asked = { verb: 'get', resource: 'version', namespace: null };
    const body = await cluster.request(asked, { method: 'GET', path: '/version' });
    const latencyMs = latency();
    await readIdentity(cluster);
    return { up: true, version: versionSchema.parse(JSON.parse(body ?? '')).gitVersion, latencyMs };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { up: false, version: null, latencyMs: latency(), note: error.message };
  }
}

/** A server that cannot be reached says so as a finding; wrong credentials too. */
function unreachableFinding(error: unknown): Finding {
  if (!(error instanceof Failure)) throw error;
  const { message, advice } = error;
  return { check: 'server-reachable', title: message, status: 'failed', count: 1, samples: [], advice };
}
