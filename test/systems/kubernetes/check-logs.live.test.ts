import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Finding } from '../../../src/systems/finding.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { kindOf, performAll, stepContext } from '../step-contexts.ts';
import { type ScratchNamespace, type Service, scratchNamespace, until } from './scratch-namespace.ts';

let scratch: ScratchNamespace;
let system: System;
let api: Service;

beforeEach(async () => {
  scratch = await scratchNamespace();
  system = scratch.system();
  api = await scratch.deploy('deeplake-api');
  await scratch.ready(api);
});

afterEach(async () => {
  await say();
  await scratch.close();
});

/** What the fake kubelet shows as the log of every container called `deeplake-api`: seconds ago and text. */
function say(...lines: readonly (readonly [number, string])[]): Promise<void> {
  const file = join(dirname(liveEndpoints().kubernetes.kubeconfig), 'container-logs/deeplake-api.log');
  const time = (ago: number): string => new Date(Date.now() - ago * 1000).toISOString();
  return writeFile(file, lines.map(([ago, text]) => `${time(ago)} stdout F ${text}\n`).join(''));
}

/** Of a run that began so many seconds ago. */
async function check(name: string, input: object, ago = 60): Promise<readonly Finding[]> {
  const kind = kindOf(system, name);
  const parsed = kind.input.parse(input);
  const context = stepContext({ sequenceBase: String((Date.now() - ago * 1000) * 1000) });
  expect((await kind.preview(parsed, context)).findings).toEqual([]);
  expect(await performAll(kind, input, context, 1)).toEqual([{ cursor: null, done: 0 }]);
  return (await kind.verify?.(parsed, context)) ?? [];
}

it('finds errors in the logs since the run’s start, and none that are allowed or older', async () => {
  const name = 'kubernetes.check-logs';
  const services = [api];
  await say([3600, 'ERROR of yesterday'], [5, 'all is well'], [4, 'listening']);
  expect(await check(name, { services })).toMatchObject([
    { status: 'passed', title: expect.stringContaining('2 lines') },
  ]);
  await say([3600, 'ERROR of yesterday'], [5, 'ERROR no user ada@example.org token=abc'], [4, 'ERROR cache is cold']);
  const [found] = await check(name, { services });
  expect(found).toMatchObject({ status: 'failed', count: 2, check: `logs:${scratch.name}/deeplake-api` });
  expect(found?.samples[0]).toMatch(/^deeplake-api-\S+: ERROR no user \[address\] token=\[secret\]$/);
  const allow = ['cache is cold'];
  expect(await check(name, { services, allow })).toMatchObject([{ status: 'failed', count: 1 }]);
  expect(await check(name, { services, allow, atMost: 1 })).toMatchObject([{ status: 'passed' }]);
  expect(await check(name, { services, last: '2h' })).toMatchObject([{ count: 3 }]);
});

it('says that nothing was read where there are no lines, no pods and no logs', async () => {
  const name = 'kubernetes.check-logs';
  expect(await check(name, { services: [api] })).toMatchObject([{ status: 'skipped', count: null }]);
  const silent = await scratch.deploy('silent');
  const none = await scratch.deploy('none', { replicas: 0 });
  await scratch.ready(silent);
  expect(await check(name, { services: [silent, none] })).toMatchObject([
    { status: 'skipped', advice: expect.stringContaining('cannot be read') },
    { status: 'skipped', advice: 'it has no pods' },
  ]);
});

it('finds warnings in the events of a service and its pods, and of no other service', async () => {
  const name = 'kubernetes.check-events';
  const other = await scratch.deploy('deeplake-api-two', { image: 'x:bad' });
  const warned = async (): Promise<boolean> => {
    const { items } = await scratch.read(`/api/v1/namespaces/${scratch.name}/events`);
    return items.some(({ type }: { type: string }) => type === 'Warning');
  };
  await until(warned);
  expect(await check(name, { services: [api] })).toMatchObject([{ status: 'passed' }]);
  const [found] = await check(name, { services: [other] });
  expect(found).toMatchObject({ status: 'failed' });
  expect(found?.samples[0]).toContain('Failed: Failed to pull image');
  expect(await check(name, { services: [other], blocking: false })).toMatchObject([{ status: 'warning' }]);
  expect(await check(name, { services: [other], allow: ['^Failed:'] })).toMatchObject([{ status: 'passed' }]);
  expect(await check(name, { services: [other] }, -60)).toMatchObject([{ status: 'passed' }]);
});
