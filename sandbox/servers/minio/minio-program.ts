import { createHash, randomBytes } from 'node:crypto';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../lock.ts';
import type { Task } from '../progress.ts';
import { runProgram } from '../run-program.ts';
import { cacheFolder } from '../state.ts';
import { requireTool } from '../toolbox.ts';

const sources = ['go.mod', 'go.sum', 'main.go'];
/** On two cores with nothing in Go's caches; and about how many packages that compiles. */
const [buildMs, packages] = [240_000, 1_300];

/** Where the server's program is or will be: by content, so that a new version never meets an old one. */
export async function minioPath(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of sources) hash.update(await readFile(join(import.meta.dirname, name)));
  hash.update(`${process.platform} ${process.arch}`);
  return join(cacheFolder(), `minio-${hash.digest('hex').slice(0, 16)}`, 'minio');
}

export async function isMinioBuilt(): Promise<boolean> {
  return access(await minioPath()).then(
    () => true,
    () => false,
  );
}

/**
 * Builds the server once for all sandboxes of this user and answers its path. Broken off and called again it goes on:
 * modules and compiled packages stay in Go's own caches, and the program appears under its name only when it is whole.
 */
export async function buildMinio(task: Task): Promise<string> {
  const path = await minioPath();
  if (await isMinioBuilt()) return path;
  const go = await requireTool('go', task);
  const waiting = (pid: number): void => task.begin(`waiting for process ${pid}, which builds the server`, buildMs);
  await withLock(
    join(path, '../lock'),
    async () => {
      if (!(await isMinioBuilt())) await build(go, path, task);
    },
    waiting,
  );
  return path;
}

async function build(go: string, path: string, task: Task): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=readonly', GOWORK: 'off' };
  const cwd = import.meta.dirname;
  const advice = 'Run it again: what was downloaded and compiled is kept. Go needs its module proxy for this.';
  let modules = 0;
  task.begin('fetching the modules of the server', 30_000);
  await runProgram(go, ['mod', 'download', '-x'], {
    cwd,
    env,
    advice,
    onLine: (line) => {
      if (/^# get .*\.zip: 200/.test(line)) task.count(`${++modules} fetched`);
    },
  });
  let compiled = 0;
  task.begin('building the server, once for this user', buildMs);
  try {
    await runProgram(go, ['build', '-v', '-trimpath', '-tags', 'kqueue', '-ldflags', '-s -w', '-o', draft, '.'], {
      cwd,
      env,
      advice,
      onLine: () => task.count(`package ${++compiled} of about ${packages}`),
    });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  task.done('the server is built');
}
