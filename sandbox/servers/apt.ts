import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from './progress.ts';
import { askProgram, runProgram } from './run-program.ts';

export interface AptPackages {
  readonly wanted: readonly string[];
  /** Taken where the system does not have the wanted ones. */
  readonly otherwise?: readonly string[];
  /**
   * Where the wanted packages are unpacked, in place of installing them: for a program whose package starts a service, or
   * that only tests need. Needs no root.
   */
  unpackInto?(): string;
  /** Unpacks what they depend on and this machine lacks, too. */
  readonly withDependencies?: true;
}

const quiet = { DEBIAN_FRONTEND: 'noninteractive' };

/** What of this machine matters here; tests hand in another. */
export interface AptMachine {
  readonly isRoot: boolean;
  readonly clusterConfig: string;
}

const thisMachine: AptMachine = {
  isRoot: process.getuid?.() === 0,
  clusterConfig: '/etc/postgresql-common/createcluster.conf',
};

/** apt-get works for one caller at a time; so do we. */
let last: Promise<unknown> = Promise.resolve();
let listsAreFresh = false;

/** Installs packages of the system where this process may. Answers null, or why it did not. */
export async function installWithApt(
  packages: AptPackages,
  title: string,
  task: Task,
  machine: AptMachine = thisMachine,
): Promise<string | null> {
  if (packages.unpackInto) return unpack(packages, packages.unpackInto(), title, task);
  if (!machine.isRoot) return 'it is missing and only root may install it';
  if (process.env.TAS_SANDBOX_INSTALL === 'no') return 'it is missing and TAS_SANDBOX_INSTALL=no forbids installing';
  if ((await askProgram('apt-get', ['--version'])) === null) return 'it is missing and there is no apt-get here';
  const turn = last.then(() => install(packages, title, task, machine.clusterConfig));
  last = turn.catch(() => undefined);
  return turn;
}

async function install(
  packages: AptPackages,
  title: string,
  task: Task,
  clusterConfig: string,
): Promise<string | null> {
  task.begin(`installing ${title} with apt-get`, 60_000);
  try {
    if (!listsAreFresh) await apt(['update'], task);
    listsAreFresh = true;
    const chosen = (await areKnown(packages.wanted)) ? packages.wanted : (packages.otherwise ?? packages.wanted);
    if (chosen.some((name) => name.startsWith('postgresql'))) await withoutMainCluster(chosen, task, clusterConfig);
    else await apt(['install', '-y', '--no-install-recommends', ...chosen], task);
  } catch (error) {
    return `apt-get could not install it (${error instanceof Error ? error.message : 'unknown'})`;
  }
  task.done(`${title} is installed`);
  return null;
}

/** Downloads the packages and unpacks them into the folder, which gets its name when it is whole. */
async function unpack(packages: AptPackages, folder: string, title: string, task: Task): Promise<string | null> {
  if ((await askProgram('apt-get', ['--version'])) === null) return 'it is missing and there is no apt-get here';
  task.begin(`fetching ${title} with apt-get, once for this user`, 5_000);
  const draft = `${folder}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(join(draft, 'package'), { recursive: true });
    const download = async (): Promise<string> =>
      runProgram('apt-get', ['-q', 'download', ...(await namesOf(packages))], { cwd: draft });
    // Lists that are missing or out of date are the usual reason.
    await download().catch(async () => {
      await apt(['update'], task);
      await download();
    });
    for (const file of (await readdir(draft)).filter((found) => found.endsWith('.deb')))
      await runProgram('dpkg-deb', ['-x', join(draft, file), join(draft, 'package')]);
    await rm(folder, { recursive: true, force: true });
    await rename(join(draft, 'package'), folder);
  } catch (error) {
    return `apt-get could not fetch it (${error instanceof Error ? error.message : 'unknown'})`;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  task.done(`${title} is there`);
  return null;
}

/** The packages by name; with their dependencies, those that installing them would bring here. */
async function namesOf({ wanted, withDependencies }: AptPackages): Promise<readonly string[]> {
  if (!withDependencies) return wanted;
  const answer = await runProgram('apt-get', ['install', '-s', '--no-install-recommends', ...wanted]);
  return [...answer.matchAll(/^Inst (\S+)/gm)].map(([, name = '']) => name);
}

/**
 * Installs a PostgreSQL server so that the package makes no cluster and starts nothing. The setting is taken back
 * afterwards: what an administrator installs later behaves as usual.
 */
async function withoutMainCluster(packages: readonly string[], task: Task, clusterConfig: string): Promise<void> {
  await apt(['install', '-y', '--no-install-recommends', 'postgresql-common'], task);
  const before = `${clusterConfig}.before-sandbox`;
  await copyFile(clusterConfig, before);
  try {
    const text = (await readFile(clusterConfig, 'utf8')).replaceAll(/^\s*create_main_cluster\b.*$/gm, '');
    await writeFile(clusterConfig, `${text}\ncreate_main_cluster = false\n`);
    await apt(['install', '-y', '--no-install-recommends', ...packages], task);
  } finally {
    await rename(before, clusterConfig);
    await rm(before, { force: true });
  }
}

async function areKnown(packages: readonly string[]): Promise<boolean> {
  const answers = await Promise.all(packages.map((name) => askProgram('apt-cache', ['show', name])));
  return answers.every((answer) => answer?.includes('Version:'));
}

async function apt(args: readonly string[], task: Task): Promise<void> {
  await runProgram('apt-get', ['-q', ...args], {
    env: quiet,
    timeoutMs: 600_000,
    onLine: (line) => task.count(line.slice(0, 60)),
  });
}
