import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import type { Task } from './progress.ts';
import { askProgram, runProgram } from './run-program.ts';
import { cacheFolder, type SandboxState } from './state.ts';
import { findTool, requireTool, type ToolName } from './toolbox.ts';

interface JarsOptions {
  /** Of the folder in the cache. */
  readonly name: string;
  /** What is fetched, in words: `Neo4j and APOC`. */
  readonly what: string;
  /** The Maven file that names it. */
  readonly pom: string;
  /** With nothing in Maven's own cache; and about how many files that fetches. */
  readonly fetchMs: number;
  readonly files: number;
  /** True = what is fetched are archives, which are unpacked. */
  readonly unpack?: true;
  /** What else is done to the folder once, before it gets its name. */
  finish?(folder: string, java: string, task: Task): Promise<void>;
}

/** A server written in Java: its jars, fetched with Maven once for all sandboxes of this user. */
export interface Jars {
  /** The folder of this version's jars: by content, so that a new version never meets an old one. */
  lib(): Promise<string>;
  /** The tools that are missing to fetch and to run it. */
  missingTools(): Promise<readonly ToolName[]>;
  /**
   * Fetches what is missing and answers the folder of jars. Broken off and called again it goes on: what came stays in
   * Maven's own cache, and the folder gets its name when it is whole.
   */
  fetch(task: Task): Promise<string>;
  /**
   * The JVM's options for the archive of loaded classes, which lets a server start in a third of the time. It belongs to
   * one version of Java; the first server that ends in an orderly way leaves it behind.
   */
  archiveOptions(java: string, state: SandboxState): Promise<readonly string[]>;
  /** Takes over the archive that a server which has ended left behind. */
  keepArchive(state: SandboxState): Promise<void>;
}

const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:2.8';

export function createJars(options: JarsOptions): Jars {
  const { name, pom, what, fetchMs } = options;
  const folder = async (): Promise<string> => {
    const hash = createHash('sha256').update(await readFile(pom));
    return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`);
  };
  const lib = async (): Promise<string> => join(await folder(), 'lib');
  const archive = async (java: string): Promise<string> => {
    const version = (await askProgram(java, ['-Xinternalversion'])) ?? (await askProgram(java, ['-version'])) ?? '';
    return join(await folder(), `classes-${createHash('sha256').update(version).digest('hex').slice(0, 12)}.jsa`);
  };
  return {
    lib,
    async missingTools() {
      const java = (await findTool('java')) === null;
      const maven = !(await isThere(await lib())) && (await findTool('maven')) === null;
      return [...(java ? (['java'] as const) : []), ...(maven ? (['maven'] as const) : [])];
    },
    async fetch(task) {
      const target = await lib();
      if (await isThere(target)) return target;
      const java = await requireTool('java', task);
      const maven = await requireTool('maven', task);
      const waiting = (pid: number): void => task.begin(`waiting for process ${pid}, which fetches ${what}`, fetchMs);
      const fetchOnce = async (): Promise<void> => {
        if (!(await isThere(target))) await fetchJars({ java, maven }, target, options, task);
      };
      await withLock(join(await folder(), 'lock'), fetchOnce, waiting);
      return target;
    },
    async archiveOptions(java, state) {
      const path = await archive(java);
      const use = (await isThere(path))
        ? `-XX:SharedArchiveFile=${path}`
        : `-XX:ArchiveClassesAtExit=${path}.${state.id}`;
      return [use, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
    },
    async keepArchive(state) {
      const path = await archive((await findTool('java')) ?? 'java');
      // Nothing to take over where the server had an archive, or another one's is there already: it may be in use.
      const own = `${path}.${state.id}`;
      if (await isThere(path)) await rm(own, { force: true });
      else await rename(own, path).catch(() => undefined);
    },
  };
}

async function fetchJars(
  { java, maven }: { readonly java: string; readonly maven: string },
  lib: string,
  options: JarsOptions,
  task: Task,
): Promise<void> {
  const { pom, what, fetchMs, files } = options;
  const folder = join(lib, '..');
  // A name of its own: a Maven whose caller was killed may still be writing.
  const drafts = (await readdir(folder)).filter((found) => found.startsWith('lib.'));
  for (const old of drafts) await rm(join(folder, old), { recursive: true, force: true });
  const draft = `${lib}.${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { recursive: true });
  let fetched = 0;
  task.begin(`fetching ${what} with Maven, once for this user`, fetchMs);
  const goal = `${plugin}:${options.unpack ? 'unpack' : 'copy'}-dependencies`;
  const speed = ['-Dmaven.artifact.threads=16', '-Daether.dependencyCollector.impl=bf'];
  await runProgram(maven, ['-B', '-f', pom, goal, `-DoutputDirectory=${draft}`, ...speed], {
    cwd: folder,
    advice: 'Run it again: what was downloaded is kept. Maven needs its central repository for this.',
    onLine: (line) => {
      if (line.includes('Downloaded from')) task.count(`${++fetched} of about ${files} files`);
    },
  });
  await options.finish?.(draft, java, task);
  await rename(draft, lib);
  task.done(`${what} ${what.includes(' and ') ? 'are' : 'is'} there`);
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
