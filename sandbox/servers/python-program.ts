import { createHash, randomBytes } from 'node:crypto';
import { access, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import type { Task } from './progress.ts';
import { askProgram, runProgram } from './run-program.ts';
import { cacheFolder } from './state.ts';
import { findTool, requireTool } from './toolbox.ts';

interface PythonProgramOptions {
  /** Of the folder in the cache. */
  readonly name: string;
  /** The requirements file; every version in it is pinned. */
  readonly requirements: string;
  /** True where the file lists all that is needed: what packages ask for beyond it is left out. */
  readonly complete?: boolean;
  /** About how long it takes, in milliseconds. */
  readonly installMs: number;
}

/** A Python with the packages of one requirements file, made once for this user in the cache folder. */
export interface PythonProgram {
  /** Where its interpreter is; null where it is not installed yet. */
  find(): Promise<string | null>;
  /**
   * Makes it where it is missing and answers the interpreter's path. Broken off and called again it goes on: what pip fetched
   * stays in its own cache, and the folder gets its name when it is whole.
   */
  install(task: Task): Promise<string>;
}

export function pythonProgram(options: PythonProgramOptions): PythonProgram {
  const { name, installMs } = options;
  return {
    async find() {
      const python = await findTool('python');
      if (python === null) return null;
      const program = await pathOf(options, python);
      return (await isThere(program)) ? program : null;
    },
    async install(task) {
      const python = await requireTool('python', task);
      const program = await pathOf(options, python);
      if (await isThere(program)) return program;
      const made = dirname(dirname(program));
      await withLock(
        join(dirname(made), 'lock'),
        async () => {
          if (!(await isThere(program))) await create(options, python, made, task);
        },
        (pid) => task.begin(`waiting for process ${pid}, which installs ${name}`, installMs),
      );
      return program;
    },
  };
}

/** By content, so that other packages or another Python never meet an old folder. */
async function pathOf({ name, requirements }: PythonProgramOptions, python: string): Promise<string> {
  const version = (await askProgram(python, ['-VV'])) ?? '';
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .update(`${version} ${process.platform} ${process.arch}`);
  return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`, 'venv/bin/python');
}

async function create(options: PythonProgramOptions, python: string, made: string, task: Task): Promise<void> {
  const { name, requirements, complete, installMs } = options;
  const folder = dirname(made);
  const drafts = (await readdir(folder)).filter((entry) => entry.startsWith('venv.'));
  for (const old of drafts) await rm(join(folder, old), { recursive: true, force: true });
  const draft = `${made}.${randomBytes(4).toString('hex')}`;
  const advice = 'Run it again: what was downloaded is kept. pip needs its package index for this.';
  let fetched = 0;
  task.begin(`installing ${name} with pip, once for this user`, installMs);
  await runProgram(python, ['-m', 'venv', draft], { advice });
  const only = complete ? ['--no-deps'] : [];
  await runProgram(
    join(draft, 'bin/python'),
    ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', ...only, '-r', requirements],
    {
      advice,
      onLine: (line) => {
        if (/^Collecting /.test(line)) task.count(`package ${++fetched}`);
      },
    },
  );
  await rename(draft, made);
  task.done(`${name} is there`);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
