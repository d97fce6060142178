import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../lock.ts';
import type { Task } from '../progress.ts';
import { askProgram, runProgram } from '../run-program.ts';
import { cacheFolder } from '../state.ts';
import { requireTool } from '../toolbox.ts';

const pom = join(import.meta.dirname, 'pom.xml');
/** With nothing in Maven's own cache; and about how many files that fetches. */
const [fetchMs, files] = [80_000, 900];
const goal = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';

/** The folder of this version's files: by content, so that a new version never meets an old one. */
export async function neo4jFolder(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(pom));
  return join(cacheFolder(), `neo4j-${hash.digest('hex').slice(0, 16)}`);
}

export async function isNeo4jThere(): Promise<boolean> {
  return isThere(join(await neo4jFolder(), 'lib'));
}

/**
 * Fetches Neo4j and APOC once for all sandboxes of this user; answers the folder of jars. Broken off and called again
 * it goes on: what came stays in Maven's own cache, and the folder gets its name when it is whole.
 */
export async function fetchNeo4j(task: Task): Promise<string> {
  const folder = await neo4jFolder();
  const lib = join(folder, 'lib');
  if (await isThere(lib)) return lib;
  await requireTool('java', task);
  const maven = await requireTool('maven', task);
  const waiting = (pid: number): void => task.begin(`waiting for process ${pid}, which fetches Neo4j`, fetchMs);
  const fetchOnce = async (): Promise<void> => {
    if (await isThere(lib)) return;
    // A name of its own: a Maven whose caller was killed may still be writing.
    const drafts = (await readdir(folder)).filter((name) => name.startsWith('lib.'));
    for (const old of drafts) await rm(join(folder, old), { recursive: true, force: true });
    const draft = join(folder, `lib.${randomBytes(4).toString('hex')}`);
    await mkdir(draft, { recursive: true });
    let fetched = 0;
    task.begin('fetching Neo4j and APOC with Maven, once for this user', fetchMs);
    const speed = ['-Dmaven.artifact.threads=16', '-Daether.dependencyCollector.impl=bf'];
    await runProgram(maven, ['-B', '-f', pom, goal, `-DoutputDirectory=${draft}`, ...speed], {
      cwd: folder,
      advice: 'Run it again: what was downloaded is kept. Maven needs its central repository for this.',
      onLine: (line) => {
        if (line.includes('Downloaded from')) task.count(`${++fetched} of about ${files} files`);
      },
    });
    await rename(draft, lib);
    task.done('Neo4j and APOC are there');
  };
  await withLock(join(folder, 'lock'), fetchOnce, waiting);
  return lib;
}

/**
 * The archive of loaded classes that lets Neo4j start in a third of the time. It belongs to one version of Java; the
 * first server that ends in an orderly way leaves it behind.
 */
export async function classArchive(java: string): Promise<{ readonly path: string; readonly isThere: boolean }> {
  const version = (await askProgram(java, ['-Xinternalversion'])) ?? (await askProgram(java, ['-version'])) ?? '';
  const name = createHash('sha256').update(version).digest('hex').slice(0, 12);
  const path = join(await neo4jFolder(), `classes-${name}.jsa`);
  return { path, isThere: await isThere(path) };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
