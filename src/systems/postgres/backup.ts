import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Failure } from '../../shared/failure.ts';
import type { BackupContext, BackupFile, BackupPart } from '../system.ts';
import type { Database } from './database.ts';
import { readProperties } from './database-properties.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { PostgresOptions } from './postgres-options.ts';
import { connectionTo, findTools } from './tools.ts';

export const FORMAT = 'postgres-dump-directory/1';
export const DUMP = 'dump';
export const PROPERTIES = 'database.json';
const JOBS = 2;
const PROGRESS_MS = 1000;

/** Dumps the database and takes its fingerprint from the very same snapshot. */
export async function backup(
  options: PostgresOptions,
  database: Database,
  folder: string,
  context: BackupContext,
): Promise<BackupPart> {
  const tools = await findTools(options, database);
  const dump = path.join(folder, DUMP);
  const fingerprint = await database.transact(
    { readOnly: true, repeatable: true, statementTimeout: 0 },
    async (session) => {
      const [row] = await session.rows('SELECT pg_export_snapshot() AS id', []);
      const properties = await readProperties(session, options.database);
      await writeFile(path.join(folder, PROPERTIES), `${JSON.stringify(properties, null, 2)}\n`);
      const args = [
        '--format=directory',
        `--jobs=${JOBS}`,
        '--compress=1',
        `--file=${dump}`,
        `--snapshot=${row?.id ?? ''}`,
        '--lock-wait-timeout=30s',
        connectionTo(options.database),
      ];
      const stop = reportBytes(dump, context);
      const failed = new AbortController();
      const signal = AbortSignal.any([context.signal, failed.signal]);
      const dumping = tools.run('pg_dump', args, signal);
      dumping.catch(() => undefined);
      try {
        const taken = await fingerprintOf(session);
        await dumping;
        return taken;
      } finally {
        stop();
        // The dump may not outlive the transaction whose snapshot it reads.
        failed.abort();
        await dumping.catch(() => undefined);
      }
    },
  );
  const files = await listFiles(folder, [PROPERTIES, ...(await readdir(dump)).sort().map((name) => `${DUMP}/${name}`)]);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  context.progress(bytes, bytes, 'bytes');
  return {
    format: FORMAT,
    files,
    fingerprint,
    excludes: ['roles and their passwords', 'other databases of the server'],
  };
}

/** Throws `corrupt-backup` unless every file is there with its size and checksum. */
export async function checkFiles(system: string, part: BackupPart, folder: string): Promise<void> {
  if (part.format !== FORMAT) throw corrupt(system, `its format is ${part.format}, known is ${FORMAT}`);
  for (const file of part.files) {
    if (
      path.posix.normalize(file.path) !== file.path ||
      file.path.startsWith('..') ||
      path.posix.isAbsolute(file.path)
    ) {
      throw corrupt(system, 'a file of it lies outside of its folder');
    }
    const found = await describeFile(folder, file.path).catch(() => null);
    if (found === null) throw corrupt(system, `the file ${file.path} is missing`);
    if (found.sha256 !== file.sha256) throw corrupt(system, `the file ${file.path} is not what was written`);
  }
}

export function corrupt(system: string, why: string): Failure {
  return new Failure({
    code: 'corrupt-backup',
    message: `${system}: this backup cannot be restored: ${why}.`,
    advice: 'The database is as it was. Choose another backup set.',
  });
}

async function listFiles(folder: string, names: readonly string[]): Promise<BackupFile[]> {
  const files: BackupFile[] = [];
  for (const name of names) files.push(await describeFile(folder, name));
  return files;
}

async function describeFile(folder: string, name: string): Promise<BackupFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(path.join(folder, name)) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { path: name, bytes, sha256: hash.digest('hex') };
}

/** Tells about every second how many bytes lie in a folder. Returns what stops it. */
function reportBytes(folder: string, context: BackupContext): () => void {
  const timer = setInterval(async () => {
    // Files come and go while they are counted, and the last word is said at the end anyway.
    const names = await readdir(folder).catch(() => []);
    const sizes = await Promise.all(
      names.map((name) =>
        stat(path.join(folder, name)).then(
          (s) => s.size,
          () => 0,
        ),
      ),
    );
    context.progress(
      sizes.reduce((sum, size) => sum + size, 0),
      null,
      'bytes',
    );
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}
