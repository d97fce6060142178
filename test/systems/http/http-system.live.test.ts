import neo4j from 'neo4j-driver';
import { Secret } from '../../../src/shared/secret.ts';
import { createHttpSystem } from '../../../src/systems/http/http-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { seedPlatform } from '../../seed-platform.ts';
import { kindOf, performAll, stepContext, undoAll, undoContext } from '../step-contexts.ts';

const { platform, neo4j: graph } = liveEndpoints();

beforeAll(() => seedPlatform(liveEndpoints(), 'demo'), 120_000);

function backend(path = '/backend'): System {
  const header = { name: 'X-Api-Key', value: new Secret(platform.apiKey) };
  return createHttpSystem({ name: 'backend', url: `${platform.url}${path}`, health: '/health', header });
}

const bearer = { authorization: 'Bearer {token}' };
const login = { username: '{run}', password: 'a long password' };
const create = [
  { id: 'tenant', method: 'POST', path: '/tenants', body: { id: '{run}', name: 'check' }, expect: { status: 201 } },
  { id: 'user', method: 'POST', path: '/users', body: { ...login, tenant: '{run}' }, expect: { status: 201 } },
  { id: 'login', method: 'POST', path: '/login', body: login, expect: { status: 200 }, save: { token: '/token' } },
  {
    id: 'notebook',
    method: 'POST',
    path: '/notebooks',
    headers: bearer,
    body: { name: 'N' },
    expect: { status: 201 },
    save: { notebook: '/id' },
  },
  {
    id: 'upload',
    method: 'POST',
    path: '/notebooks/{notebook}/documents',
    headers: bearer,
    body: { name: 'a.txt', content: 'private words' },
    expect: { status: 201 },
  },
];
const search = (atLeast: number) => ({
  id: 'search',
  method: 'GET',
  path: '/search?q=a.txt',
  headers: bearer,
  expect: { status: 200, json: [{ at: '/items', atLeast }] },
});
const cleanUp = [{ id: 'remove', method: 'DELETE', path: '/tenants/{run}', expect: { status: [204, 404] } }];
const workflow = (atLeast = 1) => ({ title: 'Users work', steps: [...create, search(atLeast)], cleanUp });

async function countTestNodes(): Promise<number> {
  const driver = neo4j.driver(graph.url, neo4j.auth.basic(graph.user, graph.password), {
    disableLosslessIntegers: true,
  });
  const found = await driver.executeQuery(
    "MATCH (n) WHERE n.tenant_id STARTS WITH 'tas-check-' OR n.personal_tenant_id STARTS WITH 'tas-check-' RETURN count(n)",
  );
  await driver.close();
  return found.records[0]?.get(0);
}

describe('a service over HTTP', () => {
  it('says where it is, that it is up and its version', async () => {
    expect(await backend().identity()).toBe(`${platform.url}/backend`);
    expect(await backend().checkHealth()).toMatchObject({ up: true, version: expect.stringMatching(/^v/) });
    expect(await backend('/nothing').checkHealth()).toMatchObject({
      up: false,
      note: 'backend answers 404 at /health',
    });
  });

  it('runs a workflow of users in the real stores and leaves nothing, twice, and after its undo', async () => {
    const kind = kindOf(backend(), 'http.run-workflow');
    for (let time = 0; time < 2; time += 1) {
      expect(await performAll(kind, workflow(), stepContext(), 10)).toEqual([{ cursor: null, done: 5 }]);
      expect(await countTestNodes()).toBe(0);
    }
    const undo = undoContext({ runId: 'run-1', stepId: 'data.step' });
    expect(await undoAll(kind, workflow(), undo)).toEqual([{ cursor: null, done: 1, kept: 0, missing: 0 }]);
  });

  it('cleans up after a failure and says the step and what is not met, without values', async () => {
    const kind = kindOf(backend(), 'http.run-workflow');
    const failure = performAll(kind, workflow(7), stepContext(), 10);
    await expect(failure).rejects.toMatchObject({
      code: 'step-failed',
      message: 'backend: search (GET /search?q=a.txt) answers 200, but /items is less than 7.',
    });
    expect(await countTestNodes()).toBe(0);
  });

  it('cleans up what a process that was killed in between has left', async () => {
    const kind = kindOf(backend(), 'http.run-workflow');
    const killed = { title: 'Killed', steps: create, cleanUp: [] };
    await performAll(kind, killed, stepContext(), 10);
    expect(await countTestNodes()).toBe(3);
    await performAll(kind, workflow(), stepContext(), 10);
    expect(await countTestNodes()).toBe(0);
  });

  it('refuses names that nothing saves, in the clean-up those of the steps too', () => {
    const { input } = kindOf(backend(), 'http.run-workflow');
    const lost = [{ ...search(1), id: 'lost' }];
    expect(input.safeParse({ ...workflow(), cleanUp: lost }).error?.issues[0]?.message).toBe(
      '{token} is saved by no earlier step of cleanUp',
    );
  });

  it.each(['/../frontend/health', '/%2e%2e/frontend/health', '/a//evil.example/', '/..%2ffrontend/health'])(
    'sends nothing to %s, which leads out of the configured address',
    async (path) => {
      const kind = kindOf(backend(), 'http.await-healthy');
      await expect(performAll(kind, { path, within: '1s' }, stepContext(), 1)).rejects.toMatchObject({
        code: 'not-allowed',
      });
    },
  );

  it('waits for health and gives up in time', async () => {
    const kind = kindOf(backend(), 'http.await-healthy');
    expect(await performAll(kind, { within: '5s' }, stepContext(), 1)).toEqual([{ cursor: null, done: 0 }]);
    await expect(performAll(kind, { status: 418, within: '1s' }, stepContext(), 1)).rejects.toMatchObject({
      code: 'timed-out',
      retryable: true,
    });
  });

  it('finds what a client reads and the service does not give', async () => {
    const kind = kindOf(backend(), 'http.compare-responses');
    const reads = [
      { at: '/version', type: 'string' },
      { at: '/service', type: 'number' },
      { at: '/gone', type: 'string' },
    ];
    const requests = [{ id: 'health', path: '/health', reads }];
    const findings = await kind.verify?.(kind.input.parse({ requests }), stepContext());
    expect(findings).toMatchObject([
      { status: 'failed', samples: ['/service is string, not number', '/gone is missing'] },
    ]);
    expect(
      await kind.verify?.(kind.input.parse({ requests: [{ id: 'h', path: '/health' }] }), stepContext()),
    ).toMatchObject([{ status: 'passed' }]);
  });
});
