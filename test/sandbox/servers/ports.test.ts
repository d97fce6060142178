import { createServer } from 'node:net';
import { chooseFreePort, isPortFree } from '../../../sandbox/servers/ports.ts';

describe('a free port', () => {
  it('is one on which a server can listen, and no other call gets it when it is said to be taken', async () => {
    const first = await chooseFreePort([]);
    const second = await chooseFreePort([first]);
    expect(second).not.toBe(first);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(first, '127.0.0.1', resolve));
    expect(await isPortFree(first)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isPortFree(first)).toBe(true);
  });

  it('lies below the range from which the system takes ports for outgoing connections', async () => {
    for (let n = 0; n < 20; n += 1) expect(await chooseFreePort([])).toBeLessThan(32_768);
  });
});
