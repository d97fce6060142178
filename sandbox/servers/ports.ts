import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range from which Linux takes ports for outgoing connections, so that none of those can take ours. */
const [lowest, highest] = [20_000, 32_000];

/** True where a server could listen on the port of the loopback interface now. */
export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** A free loopback port by chance, none of `taken`. */
export async function chooseFreePort(taken: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (!taken.includes(port) && (await isPortFree(port))) return port;
  }
  throw new Error(`no free loopback port between ${lowest} and ${highest}`);
}
