import { createHash, randomBytes } from 'node:crypto';
import { access, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../lock.ts';
import type { Task } from '../progress.ts';
import { askProgram, runProgram } from '../run-program.ts';
import { cacheFolder } from '../state.ts';
import { requireTool } from '../toolbox.ts';

const requirements = join(import.meta.dirname, 'requirements.txt');
const installMs = 20_000;

/**
 * A Python with alembic and a driver, made once for this user in the cache folder; answers the Python's path. Broken off and
 * called again it goes on: what pip fetched stays in its own cache, and the folder gets its name when it is whole.
 */
export async function installAlembic(task: Task): Promise<string> {
  const python = await requireTool('python', task);
  const version = (await askProgram(python, ['-VV'])) ?? '';
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .update(`${version} ${process.platform} ${process.arch}`);
  const folder = join(cacheFolder(), `alembic-${hash.digest('hex').slice(0, 16)}`);
  const made = join(folder, 'venv');
  const program = join(made, 'bin/python');
  if (await isThere(program)) return program;
  const waiting = (pid: number): void => task.begin(`waiting for process ${pid}, which installs alembic`, installMs);
  const install = async (): Promise<void> => {
    if (await isThere(program)) return;
    const drafts = (await readdir(folder)).filter((name) => name.startsWith('venv.'));
    for (const old of drafts) await rm(join(folder, old), { recursive: true, force: true });
    const draft = `${made}.${randomBytes(4).toString('hex')}`;
    const advice = 'Run it again: what was downloaded is kept. pip needs its package index for this.';
    let fetched = 0;
    task.begin('installing alembic with pip, once for this user', installMs);
    await runProgram(python, ['-m', 'venv', draft], { advice });
    await runProgram(join(draft, 'bin/python'), ['-m', 'pip', 'install', '--no-input', '-r', requirements], {
      advice,
      onLine: (line) => {
        if (/^Collecting /.test(line)) task.count(`package ${++fetched}`);
      },
    });
    await rename(draft, made);
    task.done('alembic is there');
  };
  await withLock(join(folder, 'lock'), install, waiting);
  return program;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
