import { execFile, spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Failure } from '../../shared/failure.ts';
import type { Database } from './database.ts';
import { scrub } from './errors.ts';
import type { PostgresOptions } from './postgres-options.ts';

const MESSAGE_BYTES = 16_384;
const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/** pg_dump and pg_restore, found and known to be new enough for the server. */
export interface Tools {
  /** Runs a tool until it ends; its password goes by the environment. Failures carry its scrubbed first error. */
  run(tool: 'pg_dump' | 'pg_restore', args: readonly string[], signal: AbortSignal): Promise<void>;
}

/** Throws `precondition-failed` with the package to install where the tools are missing or older than the server. */
export async function findTools(options: PostgresOptions, database: Database): Promise<Tools> {
  const server = await database.transact({ readOnly: true }, async (session) => {
    const [row] = await session.rows(`SELECT current_setting('server_version_num')::int / 10000 AS major`, []);
    return Number(row?.major);
  });
  const folder = options.toolsFolder ?? (await debianFolder(server));
  for (const tool of ['pg_dump', 'pg_restore']) await checkVersion(options.name, fileOf(folder, tool), tool, server);
  return {
    run: (tool, args, signal) => runTool(options, fileOf(folder, tool), tool, args, signal),
  };
}

/** A connection string for the tools, which holds no password. */
export function connectionTo(database: string): string {
  return `--dbname=dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const fileOf = (folder: string | null, tool: string): string => (folder === null ? tool : path.join(folder, tool));

async function debianFolder(server: number): Promise<string | null> {
  const folder = `/usr/lib/postgresql/${server}/bin`;
  return access(path.join(folder, 'pg_dump')).then(
    () => folder,
    () => null,
  );
}

async function checkVersion(system: string, file: string, tool: string, server: number): Promise<void> {
  const advice = `Install the server's own tools, for example: apt-get install postgresql-client-${server}; or name their folder in the configuration.`;
  const output = await promisify(execFile)(file, ['--version'], { env: environment() }).catch((error: unknown) => {
    throw new Failure({
      code: 'precondition-failed',
      message: `${system}: ${tool} cannot be run (${file}).`,
      advice,
      cause: error,
    });
  });
  const version = Number(/\s(\d+)[.\s]/.exec(`${output.stdout} `)?.[1]);
  if (version >= server) return;
  throw new Failure({
    code: 'precondition-failed',
    message: `${system}: ${tool} is of version ${version || 'unknown'}, older than the server's ${server}.`,
    advice,
  });
}

function environment(): NodeJS.ProcessEnv {
  // Its messages are read, so they must come in one language.
  return { PATH: SEARCH_PATH, LC_ALL: 'C' };
}

async function runTool(
  options: PostgresOptions,
  file: string,
  tool: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const env = {
    ...environment(),
    PGHOST: options.host,
    PGPORT: String(options.port),
    PGUSER: options.user,
    PGPASSWORD: options.password.reveal(),
    PGCONNECT_TIMEOUT: '10',
    PGAPPNAME: 'tas-bot',
  };
  const child = spawn(file, [...args, '--no-password'], { env, stdio: ['ignore', 'ignore', 'pipe'], signal });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (errors.length < MESSAGE_BYTES) errors += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (status !== 0) throw toolFailure(options.name, tool, errors);
}

function toolFailure(system: string, tool: string, errors: string): Failure {
  // Only the tool's own error lines: the lines of context under them hold records.
  const lines = errors
    .split('\n')
    .filter((line) => line.startsWith(`${tool}: error: `) || line.startsWith(`${tool}: fatal: `));
  const line = (lines[0] ?? `${tool}: it ended without saying why`).slice(tool.length + 2);
  const words = scrub(line.replace(/^(error|fatal): /, '')).slice(0, 400);
  const message = `${system}: ${tool} failed: ${words}.`;
  if (/No space left on device|could not extend file|disk full/i.test(errors)) {
    return new Failure({
      code: 'disk-full',
      message: `${system}: ${tool} found no space left on the disk.`,
      advice: 'Free space, then ask again.',
      retryable: true,
    });
  }
  if (/password authentication failed/.test(errors)) {
    return new Failure({ code: 'wrong-password', message, advice: 'Correct user and password in the configuration.' });
  }
  if (
    /permission denied|must be (owner|superuser|member)|not a member|aborting because of server version/i.test(errors)
  ) {
    return new Failure({
      code: 'missing-rights',
      message,
      advice: 'Grant the right to the configured user, then ask again.',
    });
  }
  return new Failure({
    code: 'step-failed',
    message,
    advice: 'The database is as it was. Correct the cause, then ask again.',
  });
}
