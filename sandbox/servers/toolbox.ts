import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/shared/failure.ts';
import { type AptPackages, installWithApt } from './apt.ts';
import { chromiumFolder, findChromium } from './chromium.ts';
import type { Task } from './progress.ts';
import { askProgram } from './run-program.ts';
import { cacheFolder } from './state.ts';

/** The programs that the servers are made with and run by. */
export type ToolName = 'java' | 'maven' | 'go' | 'postgres' | 'python' | 'redis' | 'prometheus' | 'chromium';

interface ToolSpec {
  /** What is wanted, as an operator says it. */
  readonly title: string;
  /** The command or, for PostgreSQL, the folder of programs; null where it is not there. */
  find(): Promise<string | null>;
  readonly packages: AptPackages;
  /** How to get it by hand. */
  readonly byHand: string;
}

const oldestGo = [1, 25] as const;

const tools: { readonly [Name in ToolName]: ToolSpec } = {
  java: {
    title: 'Java 17 or 21',
    find: findJava,
    packages: { wanted: ['openjdk-17-jre-headless'], otherwise: ['default-jre-headless'] },
    byHand: 'apt-get install default-jre-headless   (macOS: brew install openjdk@21)',
  },
  maven: {
    title: 'Maven 3',
    find: async () => ((await askProgram('mvn', ['-v'])) === null ? null : 'mvn'),
    packages: { wanted: ['maven'] },
    byHand: 'apt-get install maven   (macOS: brew install maven)',
  },
  go: {
    title: `Go ${oldestGo.join('.')} or later`,
    find: findGo,
    packages: { wanted: ['golang-go'] },
    byHand: `unpack Go ${oldestGo.join('.')} or later from https://go.dev/dl/ into /usr/local and put /usr/local/go/bin on the PATH (macOS: brew install go)`,
  },
  python: {
    title: 'Python 3.10 or later with venv',
    find: findPython,
    packages: { wanted: ['python3-venv'] },
    byHand: 'apt-get install python3-venv   (macOS: brew install python)',
  },
  redis: {
    title: 'the Redis server',
    find: findRedis,
    // The server under another name, without the service that the package with its own name starts.
    packages: { wanted: ['redis-tools'] },
    byHand: 'apt-get install redis-tools   (macOS: brew install redis)',
  },
  prometheus: {
    title: 'the Prometheus server',
    find: findPrometheus,
    packages: { wanted: ['prometheus'], unpackInto: prometheusFolder },
    byHand: 'apt-get install prometheus   (macOS: brew install prometheus)',
  },
  chromium: {
    title: 'Chromium',
    find: findChromium,
    // With fonts of its own, so that pages look the same on every machine.
    packages: {
      wanted: ['chromium-headless-shell', 'fonts-lato', 'fonts-dejavu-core', 'fonts-noto-color-emoji'],
      unpackInto: chromiumFolder,
      withDependencies: true,
    },
    byHand: 'apt-get install chromium   (macOS: brew install --cask google-chrome)',
  },
  postgres: {
    title: 'the PostgreSQL 15 server (or a later one)',
    find: findPostgres,
    packages: { wanted: ['postgresql-15'], otherwise: ['postgresql'] },
    byHand:
      "echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf && apt-get install postgresql-15   (macOS: brew install postgresql@15)",
  },
};

/** Where the tool is; null where it is not, or is too old. Installs nothing. */
export async function findTool(name: ToolName): Promise<string | null> {
  return tools[name].find();
}

const underWay = new Map<ToolName, Promise<string>>();

/** Where the tool is; installs it where that is allowed. Throws `precondition-failed` with the command that brings it. */
export async function requireTool(name: ToolName, task: Task): Promise<string> {
  const asked = underWay.get(name) ?? findOrInstall(tools[name], task);
  underWay.set(name, asked);
  return asked.finally(() => underWay.delete(name));
}

async function findOrInstall(spec: ToolSpec, task: Task): Promise<string> {
  const found = await spec.find();
  if (found !== null) return found;
  const refused = await installWithApt(spec.packages, spec.title, task);
  const installed = refused === null ? await spec.find() : null;
  if (installed !== null) return installed;
  throw new Failure({
    code: 'precondition-failed',
    message: `${spec.title} is not there: ${refused ?? 'what the system offers is too old'}.`,
    advice: `Get it with: ${spec.byHand}`,
  });
}

async function findJava(): Promise<string | null> {
  const home = process.env.JAVA_HOME;
  for (const command of [...(home ? [join(home, 'bin/java')] : []), 'java']) {
    const version = /version "(\d+)/.exec((await askProgram(command, ['-version'])) ?? '');
    if (version && Number(version[1]) >= 17) return command;
  }
  return null;
}

/** Its own name, or the checker's: Debian's `redis-check-rdb` is the same program, and a server when it is called so. */
async function findRedis(): Promise<string | null> {
  if ((await askProgram('redis-server', ['--version'])) !== null) return 'redis-server';
  return (await askProgram('sh', ['-c', 'command -v redis-check-rdb']))?.trim() || null;
}

/** The machine's own, or the one of the package that was unpacked. */
async function findPrometheus(): Promise<string | null> {
  for (const command of ['prometheus', join(prometheusFolder(), 'usr/bin/prometheus')]) {
    if ((await askProgram(command, ['--version'])) !== null) return command;
  }
  return null;
}

function prometheusFolder(): string {
  return join(cacheFolder(), `prometheus-${process.arch}`);
}

/** Debian splits venv off: without it `ensurepip` is missing. */
async function findPython(): Promise<string | null> {
  const check = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';
  return (await askProgram('python3', ['-c', check])) === null ? null : 'python3';
}

/** Go from 1.21 on fetches the version that a module asks for by itself, unless that was forbidden. */
async function findGo(): Promise<string | null> {
  for (const command of ['go', '/usr/local/go/bin/go']) {
    const answer = (await askProgram(command, ['env', 'GOVERSION', 'GOTOOLCHAIN'])) ?? '';
    const [version = '', toolchain = ''] = answer.split('\n');
    const [major = 0, minor = 0] = version.replace('go', '').split('.').map(Number);
    const recent = major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1]);
    if (recent || (major === 1 && minor >= 21 && toolchain !== 'local')) return command;
  }
  return null;
}

/** Version 15 is preferred, for it is the platform's; then the newest. */
async function findPostgres(): Promise<string | null> {
  const own = process.env.TAS_POSTGRES_TOOLS;
  if (own) return (await isServerFolder(own)) ? own : null;
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  versions.sort((a, b) => (a === '15' ? -1 : b === '15' ? 1 : Number(b) - Number(a)));
  const folders = versions.map((version) => `/usr/lib/postgresql/${version}/bin`);
  const configured = (await askProgram('pg_config', ['--bindir']))?.trim();
  if (configured) folders.push(configured);
  folders.push('/opt/homebrew/opt/postgresql@15/bin', '/usr/local/opt/postgresql@15/bin');
  for (const folder of folders) if (await isServerFolder(folder)) return folder;
  return null;
}

async function isServerFolder(folder: string): Promise<boolean> {
  const [server, initdb] = await Promise.all([
    askProgram(join(folder, 'postgres'), ['--version']),
    askProgram(join(folder, 'initdb'), ['--version']),
  ]);
  const version = /(\d+)\./.exec(server ?? '') ?? /(\d+)/.exec(server ?? '');
  return initdb !== null && version !== null && Number(version[1]) >= 15;
}
