import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createClient } from '@redis/client';
import { Failure } from '../../../src/shared/failure.ts';
import type { Endpoints } from '../endpoints.ts';
import type { Server } from '../server.ts';
import type { SandboxState } from '../state.ts';
import { findTool, requireTool } from '../toolbox.ts';

export const redisServer: Server = {
  name: 'redis',
  title: 'Redis',
  readyWithinMs: 30_000,
  endsWithinMs: 15_000,
  async missingTools() {
    return (await findTool('redis')) === null ? ['redis'] : [];
  },
  async prepare({ folder, state, task }) {
    await requireTool('redis', task);
    await mkdir(dataFolder(folder), { recursive: true });
    await writeFile(confFile(folder), redisConf(folder, state), { mode: 0o600 });
    return {};
  },
  async describe({ folder, task }) {
    return {
      command: await underItsName(await requireTool('redis', task), join(folder, 'redis')),
      args: [confFile(folder)],
      // The server writes over its arguments: the title that it then has is set to the file's path in its configuration.
      mark: confFile(folder),
      stopSignal: 'SIGTERM',
      cwd: dataFolder(folder),
    };
  },
  async check({ redis }) {
    try {
      await withClient(redis, (client) => client.ping());
      return null;
    } catch (error) {
      const message = error instanceof Error ? error.message : 'no answer';
      if (!/WRONGPASS|NOAUTH/.test(message)) return message;
      throw new Failure({
        code: 'wrong-password',
        message: `Redis on port ${redis.port} does not take the password.`,
        advice: 'Take the sandbox down and up again.',
      });
    }
  },
  async wipe({ redis }) {
    await withClient(redis, (client) => client.flushAll());
    return true;
  },
  dataFolders: ({ folder }) => [dataFolder(folder)],
};

function dataFolder(folder: string): string {
  return join(folder, 'redis/data');
}

function confFile(folder: string): string {
  return join(folder, 'redis/redis.conf');
}

/** The password stands here and not among the arguments, which everybody on the machine can read. */
function redisConf(folder: string, { ports, passwords, fast }: SandboxState): string {
  return `${[
    'bind 127.0.0.1',
    `port ${ports.redis}`,
    `requirepass ${passwords.redis}`,
    `dir ${JSON.stringify(dataFolder(folder))}`,
    'daemonize no',
    'proc-title-template "{title} {config-file}"',
    ...(fast ? ['save ""', 'appendonly no'] : ['save 300 1', 'appendonly no']),
  ].join('\n')}\n`;
}

/**
 * One program is server and checkers alike, by the name that it is called by. Debian's package with the server's own name
 * brings a service that starts at once; the one with the tools does not.
 */
export async function underItsName(program: string, folder: string): Promise<string> {
  if (basename(program) === 'redis-server') return program;
  const link = join(folder, 'redis-server');
  await rm(link, { force: true });
  await symlink(program, link);
  return link;
}

async function withClient<T>(
  { host, port, password }: Endpoints['redis'],
  work: (client: ReturnType<typeof createClient>) => Promise<T>,
): Promise<T> {
  const client = createClient({
    socket: { host, port, connectTimeout: 3_000, reconnectStrategy: false },
    password,
  }) as ReturnType<typeof createClient>;
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    if (client.isOpen) client.destroy();
  }
}
