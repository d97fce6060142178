import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Server } from '../server.ts';
import type { SandboxState } from '../state.ts';
import { findTool, requireTool } from '../toolbox.ts';

/** Seconds between two looks at a target, and between two looks at which targets there are. */
const every = 1;

/** Prometheus: measures itself, and whatever a file in its folder of targets names. */
export const prometheusServer: Server = {
  name: 'prometheus',
  title: 'Prometheus',
  readyWithinMs: 60_000,
  endsWithinMs: 15_000,
  async missingTools() {
    return (await findTool('prometheus')) === null ? ['prometheus'] : [];
  },
  async prepare({ folder, state, task }) {
    await requireTool('prometheus', task);
    await mkdir(dataFolder(folder), { recursive: true });
    await mkdir(targetsFolder(folder), { recursive: true });
    await writeFile(confFile(folder), prometheusConf(folder, state));
    return {};
  },
  async describe({ folder, state, task }) {
    return {
      command: await requireTool('prometheus', task),
      args: [
        `--config.file=${confFile(folder)}`,
        `--storage.tsdb.path=${dataFolder(folder)}`,
        '--storage.tsdb.retention.time=7d',
        '--storage.tsdb.retention.size=500MB',
        // For tests and for emptying: deletes series.
        '--web.enable-admin-api',
        `--web.listen-address=127.0.0.1:${state.ports.prometheus}`,
        '--log.level=warn',
      ],
      mark: confFile(folder),
      stopSignal: 'SIGTERM',
      cwd: folder,
    };
  },
  /** Ready only when its own first measurement can be asked for. */
  async check({ prometheus: { url } }) {
    try {
      const ready = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(2_000) });
      await ready.arrayBuffer();
      if (!ready.ok) return `it answers ${ready.status}`;
      const answer = await fetch(`${url}/api/v1/query?query=up`, { signal: AbortSignal.timeout(2_000) });
      const { data } = upSchema.parse(await answer.json());
      return data.result.length > 0 ? null : 'nothing was measured yet';
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer';
    }
  },
  async wipe({ prometheus: { url } }) {
    const all = encodeURIComponent('{__name__=~".+"}');
    const answer = await fetch(`${url}/api/v1/admin/tsdb/delete_series?match[]=${all}`, {
      method: 'POST',
      signal: AbortSignal.timeout(20_000),
    });
    await answer.arrayBuffer();
    return answer.ok;
  },
  dataFolders: ({ folder }) => [dataFolder(folder)],
};

const upSchema = z.object({ data: z.object({ result: z.array(z.unknown()) }) });

/**
 * Where targets are added: a file `<name>.json` with `[{"targets": ["127.0.0.1:8080"], "labels": {"job": "backend"}}]`,
 * whose path `/metrics` is then measured every second. A file that goes takes its targets with it.
 */
export function targetsFolder(folder: string): string {
  return join(folder, 'prometheus/targets');
}

function dataFolder(folder: string): string {
  return join(folder, 'prometheus/data');
}

function confFile(folder: string): string {
  return join(folder, 'prometheus/prometheus.yml');
}

function prometheusConf(folder: string, { ports }: SandboxState): string {
  const conf = {
    global: { scrape_interval: `${every}s`, scrape_timeout: `${every}s`, evaluation_interval: `${every}s` },
    scrape_configs: [
      { job_name: 'prometheus', static_configs: [{ targets: [`127.0.0.1:${ports.prometheus}`] }] },
      {
        job_name: 'platform',
        file_sd_configs: [{ files: [join(targetsFolder(folder), '*.json')], refresh_interval: `${every}s` }],
      },
    ],
  };
  // JSON is YAML.
  return `${JSON.stringify(conf, null, 2)}\n`;
}
