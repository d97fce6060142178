import { AppsV1Api, KubeConfig } from '@kubernetes/client-node';
import pg from 'pg';
import { kubernetesServer } from '../../../sandbox/servers/kubernetes/kubernetes-server.ts';
import { holdPlatformSessions } from '../../../sandbox/servers/platform/sessions.ts';
import { liveEndpoints } from '../../live-stores.ts';

const endpoints = liveEndpoints();
const { platform, postgres } = endpoints;
const namespace = 'aether-be';

function deployments(): AppsV1Api {
  const config = new KubeConfig();
  config.loadFromFile(endpoints.kubernetes.kubeconfig);
  return config.makeApiClient(AppsV1Api);
}

async function scale(name: string, replicas: number): Promise<void> {
  const api = deployments();
  const found = await api.readNamespacedDeploymentScale({ namespace, name });
  await api.replaceNamespacedDeploymentScale({ namespace, name, body: { ...found, spec: { replicas } } });
}

/** The stand-in looks at the cluster twice a second. */
async function eventually<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  const end = Date.now() + 30_000;
  let last = await look();
  while (JSON.stringify(last) !== JSON.stringify(wanted) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    last = await look();
  }
  expect(last).toEqual(wanted);
}

const statusOf = async (path: string): Promise<number> => {
  const answer = await fetch(`${platform.url}${path}`);
  await answer.arrayBuffer();
  return answer.status;
};

describe("the platform's stand-in", () => {
  const admin = new pg.Pool({ connectionString: postgres.url, max: 1, application_name: 'test' });
  const sessions = async (): Promise<readonly string[]> => {
    const { rows } = await admin.query<{ name: string }>(
      "select distinct application_name as name from pg_stat_activity where application_name in ('aether-backend', 'audimodal') order by 1",
    );
    return rows.map(({ name }) => name);
  };

  beforeAll(() => kubernetesServer.wipe(endpoints), 120_000);
  afterAll(async () => {
    await holdPlatformSessions(endpoints, false);
    await kubernetesServer.wipe(endpoints);
    await admin.end();
  }, 120_000);

  it('holds sessions of the services that run, and none while they rest', async () => {
    await holdPlatformSessions(endpoints, true);
    await eventually(sessions, ['aether-backend', 'audimodal']);
    await holdPlatformSessions(endpoints, false);
    await eventually(sessions, []);
  });

  it('answers 503 and lets its sessions go while its Deployment has no pod, and comes back with it', async () => {
    await holdPlatformSessions(endpoints, true);
    await eventually(() => statusOf('/backend/health'), 200);
    await scale('aether-backend', 0);
    await eventually(() => statusOf('/backend/health'), 503);
    await eventually(sessions, ['audimodal']);
    await scale('aether-backend', 1);
    await eventually(() => statusOf('/backend/health'), 200);
    await eventually(sessions, ['aether-backend', 'audimodal']);
  });

  it('tells its version by the image that runs', async () => {
    const versionNow = async (): Promise<unknown> => {
      const answer = await fetch(`${platform.url}/audimodal/health`);
      const { version, contentVersions } = (await answer.json()) as Record<string, unknown>;
      return { version, contentVersions };
    };
    await eventually(() => statusOf('/audimodal/health'), 200);
    const before = (await versionNow()) as { version: string };
    const api = deployments();
    const found = await api.readNamespacedDeployment({ namespace, name: 'audimodal' });
    const [container] = found.spec?.template.spec?.containers ?? [];
    if (!container) throw new Error('audimodal has no container');
    container.image = `${container.image?.split(':')[0]}:v2.3.4`;
    await api.replaceNamespacedDeployment({ namespace, name: 'audimodal', body: found });
    await eventually(versionNow, { version: 'v2.3.4', contentVersions: true });
    expect(before).toMatchObject({ contentVersions: false });
  });

  it('gives the datasets only to those who have its key', async () => {
    expect(await statusOf('/deeplake/api/v1/stats')).toBe(401);
    const answer = await fetch(`${platform.url}/deeplake/api/v1/stats`, {
      headers: { authorization: `ApiKey ${platform.apiKey}` },
    });
    expect(await answer.json()).toEqual({ datasets: expect.any(Number) });
    expect(await statusOf('/nobody/health')).toBe(404);
  });

  it('counts requests and errors for Prometheus, by service', async () => {
    const errors = async (): Promise<number> => {
      const text = await (await fetch(`${platform.url}/metrics`)).text();
      return Number(/^http_errors_total\{service="audimodal"\} (\d+)$/m.exec(text)?.[1]);
    };
    const before = await errors();
    await scale('audimodal', 0);
    await eventually(() => statusOf('/audimodal/health'), 503);
    expect(await errors()).toBeGreaterThan(before);
  });
});
