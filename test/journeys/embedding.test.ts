import { rm } from 'node:fs/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { kubernetesServer } from '../../sandbox/servers/kubernetes/kubernetes-server.ts';
import { liveEndpoints } from '../live-stores.ts';
import { deeplakePython } from '../systems/deeplake/deeplake-python.ts';
import { openVectorApp } from '../systems/deeplake/vector-app.ts';
import { ada, large, rowsOf } from '../systems/deeplake/vector-scene.ts';
import { approvedRun, posted, reached } from './approved-run.ts';
import { openJourney } from './open-journey.ts';

const [first, second] = ['tenants/tenant_1/default', 'tenants/tenant_2/default'];

/** The flag that tells services with which model to embed questions. */
async function flagVariant({ kubernetes }: Endpoints): Promise<unknown> {
  const config = new KubeConfig();
  config.loadFromFile(kubernetes.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const { data } = await core.readNamespacedConfigMap({ namespace: 'aether-be', name: 'feature-flags' });
  return JSON.parse(data?.['flags.json'] ?? '{}').flags['embeddings-3-large'].defaultVariant;
}

describe('the migration of the embedding model', () => {
  it('embeds while users write on, paused and killed on the way, switches by a vote of its own, and goes back with what was written since', async () => {
    const python = await deeplakePython();
    if (python === null) throw new Error('there is no Python with DeepLake');
    const endpoints = liveEndpoints();
    const { root } = endpoints.vectors;
    await kubernetesServer.wipe(endpoints);
    await rm(root, { recursive: true, force: true });
    const app = openVectorApp(python, root);
    await app.create(first, rowsOf(ada, 0, 500), ada.dimension);
    await app.create(second, rowsOf(ada, 0, 20), ada.dimension);
    const journey = await openJourney('demo', 'http', { deeplakePython: python });
    const { slack, bot, restart } = journey.session;
    const idsOf = async (name: string): Promise<readonly string[]> =>
      (await app.read(name))?.rows.map(({ id }) => id) ?? [];
    const modelsOf = async (name: string): Promise<unknown> => {
      const { dimension, rows = [] } = (await app.read(name)) ?? {};
      return { dimension, models: [...new Set(rows.map(({ model }) => model))] };
    };
    try {
      const { runId, from } = await approvedRun(
        journey,
        '/tas migrate embedding-model env:sandbox reason:"a better model"',
      );
      const embedded = async (): Promise<number> => {
        const sql = `select done from tas.run_step where run_id = $1 and step_id = 'storage.embed'`;
        const { rows } = await journey.botPool.query(sql, [runId]);
        return Number(rows[0]?.done ?? 0);
      };
      while ((await embedded()) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
      await slack.as('alice').command(`/tas pause ${runId}`);
      await reached(journey, runId, 'paused');
      expect(await modelsOf(first)).toEqual({ dimension: 1536, models: [ada.model] });
      await app.append(first, rowsOf(ada, 500, 510));
      await app.delete(first, 'v0007');
      await app.update(second, 'v0003', 'A user wrote something else here.');
      await bot().kill('SIGKILL');
      await restart();
      await slack.as('alice').command(`/tas resume ${runId}`);

      const vote = await posted(journey, /A step waits for a vote/, from);
      // What comes in while people look at it is caught up with too.
      await app.append(second, rowsOf(ada, 20, 22));
      expect(await flagVariant(endpoints)).toBe('off');
      await slack.as('bob').click(vote, 'Approve');
      await reached(journey, runId, 'done');

      const ids = { first: await idsOf(first), second: await idsOf(second) };
      expect(ids.first).toEqual(
        rowsOf(ada, 0, 510)
          .map(({ id }) => id)
          .filter((id) => id !== 'v0007'),
      );
      expect(ids.second).toEqual(rowsOf(ada, 0, 22).map(({ id }) => id));
      for (const name of [first, second]) {
        expect(await modelsOf(name)).toEqual({ dimension: 3072, models: [large.model] });
      }
      expect(await flagVariant(endpoints)).toBe('on');

      await app.append(first, rowsOf(large, 600, 602));
      const undo = await approvedRun(journey, `/tas rollback ${runId} way:undo`);
      await reached(journey, undo.runId, 'done');
      expect(await idsOf(first)).toEqual([...ids.first, 'v0600', 'v0601']);
      expect(await idsOf(second)).toEqual(ids.second);
      for (const name of [first, second]) {
        expect(await modelsOf(name)).toEqual({ dimension: 1536, models: [ada.model] });
      }
      const changed = (await app.read(second))?.rows.find(({ id }) => id === 'v0003');
      expect(changed?.content).toBe('A user wrote something else here.');
      expect(await flagVariant(endpoints)).toBe('off');
    } finally {
      await journey.close();
      await app.close();
    }
  }, 900_000);
});
