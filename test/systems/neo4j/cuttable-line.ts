import { once } from 'node:events';
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { createLogger } from '../../../src/shared/logger.ts';
import type { Seal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createNeo4jSystem } from '../../../src/systems/neo4j/neo4j-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveStores } from '../../live-stores.ts';

/** A way to the server that can be cut: at the first bytes that match, before or after they get through. */
export async function cuttableLine(seal: Seal): Promise<{
  system: System;
  cutAt(words: string, when: 'before' | 'after'): void;
  cuts(): number;
  close(): Promise<void>;
}> {
  const { neo4j } = liveStores();
  const target = new URL(neo4j.url);
  const sockets = new Set<Socket>();
  let armed: { words: string; when: 'before' | 'after' } | null = null;
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connectTo(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    upstream.on('data', (data) => client.destroyed || client.write(data));
    client.on('data', (data) => {
      const plan =
        armed &&
        (data.includes(armed.words) || (armed.words === 'COMMIT' && data.includes(Buffer.of(0, 2, 0xb0, 0x12, 0, 0))))
          ? armed
          : null;
      if (!plan) return void upstream.write(data);
      armed = null;
      cuts++;
      if (plan.when === 'before') return void client.destroy();
      // The server gets the message, the client never hears what became of it.
      upstream.removeAllListeners('data');
      upstream.once('data', () => client.destroy());
      upstream.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const url = `bolt://127.0.0.1:${port}`;
  const logger = createLogger('silent');
  const system = createNeo4jSystem({
    name: 'graph',
    url,
    user: neo4j.user,
    password: new Secret(neo4j.password),
    seal,
    logger,
  });
  return {
    system,
    cutAt: (words, when) => {
      armed = { words, when };
    },
    cuts: () => cuts,
    async close() {
      await system.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
