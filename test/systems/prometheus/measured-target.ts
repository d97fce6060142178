import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { targetsFolder } from '../../../sandbox/servers/prometheus/prometheus-server.ts';
import { liveEndpoints } from '../../live-stores.ts';

/** A program of the test's own that Prometheus measures every second. */
export interface MeasuredTarget {
  /** Sets a gauge; Prometheus has seen the value when this comes back. Null takes it away. */
  set(gauge: string, value: number | null): Promise<void>;
  close(): Promise<void>;
}

let count = 0;

export async function measuredTarget(): Promise<MeasuredTarget> {
  const gauges = new Map<string, number>();
  const server = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/plain; version=0.0.4');
    answer.end([...gauges].map(([name, value]) => `${name} ${value}\n`).join(''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sandbox = process.env.TAS_TEST_SANDBOX ?? '/nowhere';
  count += 1;
  const file = join(targetsFolder(sandbox), `test-${process.pid}-${count}.json`);
  await writeFile(file, JSON.stringify([{ targets: [`127.0.0.1:${port}`], labels: { job: 'test' } }]));
  return {
    async set(gauge, value) {
      if (value === null) gauges.delete(gauge);
      else gauges.set(gauge, value);
      await until(async () => (await newest(gauge)) === value);
    },
    async close() {
      await rm(file, { force: true });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function newest(gauge: string): Promise<number | null> {
  const url = `${liveEndpoints().prometheus.url}/api/v1/query?query=${encodeURIComponent(gauge)}`;
  const answer = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
  const value = answer.data.result[0]?.value[1];
  return value === undefined ? null : Number(value);
}

/** Polls for the condition. */
export async function until(holds: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come about');
    await pause(100);
  }
}
