import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type { Endpoints } from '../endpoints.ts';
import { chooseFreePort, isPortFree } from '../ports.ts';
import { runProgram } from '../run-program.ts';
import type { Server } from '../server.ts';
import type { SandboxState } from '../state.ts';
import { requireTool } from '../toolbox.ts';
import { kafkaConf } from './kafka-conf.ts';
import { kafkaJars } from './kafka-program.ts';

/** Kafka in one process, without ZooKeeper. */
export const kafkaServer: Server = {
  name: 'kafka',
  title: 'Kafka',
  readyWithinMs: 120_000,
  endsWithinMs: 30_000,
  missingTools: () => kafkaJars.missingTools(),
  async prepare({ folder, state, task }) {
    const java = await requireTool('java', task);
    await kafkaJars.fetch(task);
    await mkdir(dataFolder(folder), { recursive: true });
    const ports = { ...state.ports, ...(await otherPorts(state)) };
    await writeFile(confFile(folder), kafkaConf(dataFolder(folder), { ...state, ports }), { mode: 0o600 });
    if (!(await isThere(join(dataFolder(folder), 'meta.properties')))) {
      task.begin('formatting the storage', 3_000);
      const id = randomBytes(16).toString('base64url');
      // One argument: an id may begin with a dash.
      const format = ['format', '--ignore-formatted', `--cluster-id=${id}`, '-c', confFile(folder)];
      await runProgram(java, [...(await classPath()), ...quickly, 'kafka.tools.StorageTool', ...format], {
        cwd: folder,
      });
    }
    return { ports };
  },
  async describe({ folder, state, task }) {
    const java = await requireTool('java', task);
    return {
      command: java,
      args: [
        ...(await classPath()),
        '-Xms64m',
        '-Xmx320m',
        ...(state.jit === 'quick' ? quickly : ['-XX:+UseSerialGC']),
        ...(await kafkaJars.archiveOptions(java, state)),
        'kafka.Kafka',
        confFile(folder),
      ],
      mark: confFile(folder),
      stopSignal: 'SIGTERM',
      cwd: folder,
    };
  },
  async check(endpoints) {
    try {
      await withAdmin(endpoints, (admin) => admin.listTopics());
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer';
    }
  },
  async wipe(endpoints) {
    await withAdmin(endpoints, empty);
    return true;
  },
  dataFolders: ({ folder }) => [dataFolder(folder)],
  ended: ({ state }) => kafkaJars.keepArchive(state),
};

const quickly = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

function dataFolder(folder: string): string {
  return join(folder, 'kafka/data');
}

function confFile(folder: string): string {
  return join(folder, 'kafka/server.properties');
}

async function classPath(): Promise<string[]> {
  return ['-cp', join(await kafkaJars.lib(), '*')];
}

/** Those of old, unless something else has taken one while the server was down. */
async function otherPorts({ ports }: SandboxState): Promise<{ [name: string]: number }> {
  const chosen: { [name: string]: number } = {};
  for (const name of ['kafka.controller', 'kafka.secured']) {
    const before = ports[name];
    const usable = before !== undefined && (await isPortFree(before));
    chosen[name] = usable ? before : await chooseFreePort([...Object.values(ports), ...Object.values(chosen)]);
  }
  return chosen;
}

/** Deletes every group and every topic but Kafka's own. */
async function empty(admin: Admin): Promise<void> {
  const { groups } = await admin.listGroups();
  if (groups.length > 0) await admin.deleteGroups(groups.map(({ groupId }) => groupId));
  const ofKafka = ['__consumer_offsets', '__transaction_state', '__share_group_state'];
  const topics = (await admin.listTopics()).filter((topic) => !ofKafka.includes(topic));
  if (topics.length > 0) await admin.deleteTopics({ topics });
}

async function withAdmin<T>({ kafka }: Endpoints, work: (admin: Admin) => Promise<T>): Promise<T> {
  const client = new Kafka({
    brokers: [...kafka.brokers],
    clientId: 'sandbox',
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = client.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
