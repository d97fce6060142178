import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { pino } from 'pino';
import { chooseFreePort } from '../../../sandbox/servers/ports.ts';
import { underItsName } from '../../../sandbox/servers/redis/redis-server.ts';
import { findTool } from '../../../sandbox/servers/toolbox.ts';
import { createSeal } from '../../../src/shared/sealed.ts';
import { Secret } from '../../../src/shared/secret.ts';
import { createRedisSystem, type RedisSystemOptions } from '../../../src/systems/redis/redis-system.ts';
import type { System } from '../../../src/systems/system.ts';
import { liveEndpoints } from '../../live-stores.ts';

const open = (url: { host: string; port: number; password: string }) =>
  createClient({ socket: { host: url.host, port: url.port }, password: url.password, RESP: 2 });

/** The real server, emptied for one test, written with the driver itself. */
export interface ScratchRedis {
  readonly client: ReturnType<typeof open>;
  /** Closed with it. */
  system(over?: Partial<RedisSystemOptions>): System;
  /** A user with these rules of `ACL SETUSER`; gone with it. */
  user(name: string, ...rules: string[]): Promise<System>;
  /** So many keys `<prefix><i><suffix>`; `seconds` until they expire, null = never. */
  fill(prefix: string, count: number, seconds: number | null, suffix?: string): Promise<void>;
  count(pattern: string): Promise<number>;
  close(): Promise<void>;
}

export async function scratchRedis(): Promise<ScratchRedis> {
  const endpoint = liveEndpoints().redis;
  const client = open(endpoint);
  await client.connect();
  await client.flushAll();
  const systems: System[] = [];
  const users: string[] = [];
  const shared = { name: 'cache', seal: createSeal(Buffer.alloc(32, 9)), logger: pino({ level: 'silent' }) };
  const system = (over: Partial<RedisSystemOptions> = {}): System => {
    const { host, port, password } = endpoint;
    const made = createRedisSystem({ ...shared, host, port, password: new Secret(password), ...over });
    systems.push(made);
    return made;
  };
  return {
    client,
    system,
    async user(name, ...rules) {
      await client.sendCommand(['ACL', 'SETUSER', name, 'reset', 'on', '>a-password-of-tests', ...rules]);
      users.push(name);
      return system({ user: name, password: new Secret('a-password-of-tests') });
    },
    async fill(prefix, count, seconds, suffix = '') {
      for (let at = 0; at < count; at += 5_000) {
        const multi = client.multi();
        for (let i = at; i < Math.min(count, at + 5_000); i += 1) {
          if (seconds === null) multi.set(`${prefix}${i}${suffix}`, `value ${i}`);
          else multi.setEx(`${prefix}${i}${suffix}`, seconds, `value ${i}`);
        }
        await multi.exec();
      }
    },
    async count(pattern) {
      return (await client.keys(pattern)).length;
    },
    async close() {
      await Promise.all(systems.splice(0).map((made) => made.close()));
      for (const name of users) await client.sendCommand(['ACL', 'DELUSER', name]);
      await client.flushAll();
      client.destroy();
    },
  };
}

/** Another server, a replica of the first or one of its own, that ends with `stop`. */
export async function startServer(
  lines: readonly string[],
): Promise<{ port: number; kill(): Promise<void>; restart(): Promise<void>; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-test-'));
  const port = await chooseFreePort([]);
  const conf = join(folder, 'redis.conf');
  await writeFile(conf, ['bind 127.0.0.1', `port ${port}`, `dir ${folder}`, 'save ""', ...lines].join('\n'));
  const program = await underItsName((await findTool('redis')) ?? 'redis-server', folder);
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(program, [conf], { stdio: 'ignore' });
    for (let up = false; !up; ) {
      const client = createClient({ socket: { port, reconnectStrategy: false } });
      client.on('error', () => undefined);
      up = await client.connect().then(
        () => true,
        (error: Error) => /NOAUTH/.test(error.message),
      );
      if (client.isOpen) client.destroy();
    }
  };
  const kill = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    port,
    kill,
    restart: async () => {
      await kill();
      await start();
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
