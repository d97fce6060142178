import { createHash, randomBytes } from 'node:crypto';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import type { Task } from './progress.ts';
import { runProgram } from './run-program.ts';
import { cacheFolder } from './state.ts';
import { requireTool } from './toolbox.ts';

interface GoProgramOptions {
  /** Of the program in the cache. */
  readonly name: string;
  /** The module: go.mod, go.sum and main.go. */
  readonly folder: string;
  /** What is built, in words: `the server`. */
  readonly what: string;
  readonly buildArgs?: readonly string[];
  /** For the linker, besides leaving out symbols: settings of variables. A part of what the program is. */
  readonly ldflags?: readonly string[];
  /** About how long on two cores with nothing in Go's caches, and how many packages that compiles. */
  readonly buildMs: number;
  readonly packages: number;
}

/** A program that no package ships, built from its Go module once for all sandboxes of this user. */
export interface GoProgram {
  /** Where it is or will be: by content, so that a new version never meets an old one. */
  path(): Promise<string>;
  isBuilt(): Promise<boolean>;
  /**
   * Builds it where it is missing and answers its path. Broken off and called again it goes on: modules and compiled
   * packages stay in Go's own caches, and the program appears under its name only when it is whole.
   */
  build(task: Task): Promise<string>;
}

const sources = ['go.mod', 'go.sum', 'main.go'];

export function goProgram(options: GoProgramOptions): GoProgram {
  const { name, folder, what, buildMs } = options;
  const path = async (): Promise<string> => {
    const hash = createHash('sha256');
    for (const source of sources) hash.update(await readFile(join(folder, source)));
    hash.update(`${process.platform} ${process.arch}`);
    for (const flag of options.ldflags ?? []) hash.update(`\n${flag}`);
    return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`, name);
  };
  const isBuilt = async (): Promise<boolean> =>
    access(await path()).then(
      () => true,
      () => false,
    );
  return {
    path,
    isBuilt,
    async build(task) {
      const target = await path();
      if (await isBuilt()) return target;
      const go = await requireTool('go', task);
      await withLock(
        join(target, '../lock'),
        async () => {
          if (!(await isBuilt())) await compile(go, target, options, task);
        },
        (pid) => task.begin(`waiting for process ${pid}, which builds ${what}`, buildMs),
      );
      return target;
    },
  };
}

async function compile(go: string, path: string, options: GoProgramOptions, task: Task): Promise<void> {
  const { folder: cwd, what, buildArgs = [], ldflags = [], buildMs, packages } = options;
  const linking = ['-s', '-w', ...ldflags].join(' ');
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false -mod=readonly', GOWORK: 'off' };
  const advice = 'Run it again: what was downloaded and compiled is kept. Go needs its module proxy for this.';
  let modules = 0;
  task.begin(`fetching the modules of ${what}`, 30_000);
  await runProgram(go, ['mod', 'download', '-x'], {
    cwd,
    env,
    advice,
    onLine: (line) => {
      if (/^# get .*\.zip: 200/.test(line)) task.count(`${++modules} fetched`);
    },
  });
  let compiled = 0;
  task.begin(`building ${what}, once for this user`, buildMs);
  try {
    await runProgram(go, ['build', '-v', '-trimpath', ...buildArgs, '-ldflags', linking, '-o', draft, '.'], {
      cwd,
      env,
      advice,
      onLine: () => task.count(`package ${++compiled} of about ${packages}`),
    });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  task.done(`${what} is built`);
}
