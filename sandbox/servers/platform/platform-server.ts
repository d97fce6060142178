import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { targetsFolder } from '../prometheus/prometheus-server.ts';
import type { Server } from '../server.ts';

/** One process that stands in for the platform's services over the sandbox's stores. */
export const platformServer: Server = {
  name: 'platform',
  title: "the platform's services",
  readyWithinMs: 30_000,
  endsWithinMs: 10_000,
  async missingTools() {
    return [];
  },
  async prepare({ folder, state }) {
    const targets = [{ targets: [`127.0.0.1:${state.ports.platform}`], labels: { job: 'platform-services' } }];
    await mkdir(targetsFolder(folder), { recursive: true });
    await writeFile(join(targetsFolder(folder), 'platform.json'), JSON.stringify(targets));
    return {};
  },
  async describe({ folder }) {
    // It reads the folder's state for addresses and keys, when it needs them: servers start side by side.
    const program = join(import.meta.dirname, 'serve-platform.ts');
    return {
      command: process.execPath,
      args: ['--no-warnings', program, folder],
      mark: folder,
      stopSignal: 'SIGTERM',
      cwd: folder,
    };
  },
  async check({ platform: { url } }) {
    try {
      const answer = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) });
      await answer.arrayBuffer();
      return answer.ok ? null : `it answers ${answer.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer';
    }
  },
  wipe: async () => true,
  dataFolders: () => [],
};
