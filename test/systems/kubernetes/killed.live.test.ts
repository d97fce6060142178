import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { BatchRequest } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';
import { type Loose, pathTo, type ScratchNamespace, type Service, scratchNamespace } from './scratch-namespace.ts';
import type { StepWork } from './step-worker.ts';

let scratch: ScratchNamespace;
let services: readonly Service[];

beforeEach(async () => {
  scratch = await scratchNamespace();
  services = [];
  for (const [i, name] of ['front', 'back', 'jobs'].entries()) {
    services = [...services, await scratch.deploy(name, { replicas: i + 1 })];
  }
  await scratch.ready(...services);
});

afterEach(() => scratch.close());

/** Answers how often the process was killed. What a batch answered counts only when it was read, as with the engine. */
async function performKilled(kind: string, stepId: string, input: object, random: () => number): Promise<number> {
  let batch: BatchRequest = { index: 0, cursor: null, done: 0, size: 10 };
  for (let kills = 0; ; kills += 1) {
    const { kubeconfig } = liveEndpoints().kubernetes;
    const work: StepWork = { kubeconfig, namespace: scratch.name, home: scratch.home, kind, input, stepId, batch };
    const worker = join(import.meta.dirname, 'step-worker.ts');
    const child = spawn(process.execPath, ['--no-warnings', worker, JSON.stringify(work)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
    });
    // It takes most of a second until it talks to the server; after some kills it may come to its end.
    const timer = setTimeout(() => child.kill('SIGKILL'), kills < 12 ? 500 + random() * 700 : 30_000);
    const [code] = await once(child, 'close');
    clearTimeout(timer);
    for (const line of text.split('\n').slice(0, -1)) {
      const { cursor, done } = JSON.parse(line) as Pick<BatchRequest, 'cursor' | 'done'>;
      batch = { ...batch, index: batch.index + 1, cursor, done: batch.done + done };
      if (cursor !== null) continue;
      expect(batch.done).toBe(services.length);
      return kills;
    }
    expect(code).toBeNull();
  }
}

/** The same numbers every time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

it('stops and starts services as if nothing had been, however often its process is killed', async () => {
  const random = randomFrom(7);
  const input = { services, within: '60s' };
  const read = (): Promise<Loose[]> => Promise.all(services.map((service) => scratch.read(pathTo(service))));
  const kills = await performKilled('kubernetes.stop-services', 'services.stop', input, random);
  const stopped = await read();
  expect(stopped.map(({ spec }) => spec.replicas)).toEqual([0, 0, 0]);
  expect(stopped.map(({ metadata }) => metadata.annotations['tas-bot/replicas'])).toEqual(['1', '2', '3']);
  const more = await performKilled('kubernetes.start-services', 'services.start', input, random);
  const started = await read();
  expect(started.map(({ status }) => status.readyReplicas)).toEqual([1, 2, 3]);
  expect(JSON.stringify(started)).not.toContain('tas-bot/');
  expect(kills + more).toBeGreaterThan(1);
});
