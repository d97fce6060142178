import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Failure } from '../../../shared/failure.ts';
import type { Json } from '../../../shared/json.ts';
import type { BackupFile } from '../../system.ts';

/** A file of JSON lines being written, compressed, with a last line that says how many there are. */
interface PartWriter {
  write(line: Json): Promise<void>;
  /** Ends the file and brings it to the disk. */
  close(): Promise<BackupFile>;
  /** Gives up; what was written stays for the caller to remove. */
  abort(): void;
}

const CHUNK = 256 * 1024;

export function writePart(folder: string, path: string): PartWriter {
  const compress = createZstdCompress();
  const digest = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      digest.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const file = createWriteStream(join(folder, path), { flags: 'wx', mode: 0o600, flush: true });
  const ended = pipeline(compress, measure, file);
  // Seen at the next write or at the end; until then it must not count as unhandled.
  ended.catch(() => undefined);
  let [pending, length, lines] = [[] as string[], 0, 0];
  const flush = async () => {
    const text = pending.join('');
    [pending, length] = [[], 0];
    if (compress.destroyed) await ended;
    if (!compress.write(text)) await Promise.race([once(compress, 'drain'), ended]);
  };
  return {
    async write(line) {
      const text = `${JSON.stringify(line)}\n`;
      pending.push(text);
      length += text.length;
      lines++;
      if (length >= CHUNK) await flush();
    },
    async close() {
      pending.push(`${JSON.stringify({ end: lines })}\n`);
      await flush();
      compress.end();
      await ended;
      return { path, bytes, sha256: digest.digest('hex') };
    },
    abort() {
      compress.destroy();
    },
  };
}

/** The failure of a backup that cannot be trusted. */
export function corruptBackup(problem: string, cause?: unknown): Failure {
  return new Failure({
    code: 'corrupt-backup',
    message: `The backup of the graph cannot be used: ${problem}.`,
    advice: 'Restore from another backup set.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Compares a file's size and SHA-256 with what the set says; throws `corrupt-backup`. */
export async function checkFile(folder: string, { path, bytes, sha256 }: BackupFile): Promise<void> {
  const digest = createHash('sha256');
  let length = 0;
  try {
    const handle = await open(join(folder, path));
    const stream = handle.createReadStream();
    stream.on('data', (chunk) => {
      digest.update(chunk);
      length += chunk.length;
    });
    await finished(stream);
  } catch (error) {
    throw corruptBackup(`${path} cannot be read`, error);
  }
  if (length !== bytes) throw corruptBackup(`${path} has ${length} bytes instead of ${bytes}`);
  if (digest.digest('hex') !== sha256) throw corruptBackup(`${path} was changed since it was written`);
}

async function* textLines(folder: string, path: string): AsyncGenerator<string> {
  const source = createReadStream(join(folder, path));
  const plain = createZstdDecompress();
  source.on('error', (error) => plain.destroy(error));
  source.pipe(plain);
  let parts: Buffer[] = [];
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        parts.push(chunk.subarray(from, at));
        yield Buffer.concat(parts).toString();
        parts = [];
        from = at + 1;
      }
      if (from < chunk.length) parts.push(chunk.subarray(from));
    }
    if (parts.length > 0) throw new Error('the last line does not end');
  } finally {
    source.destroy();
    plain.destroy();
  }
}

/** The lines of a file that `writePart` wrote, and their size as text; throws `corrupt-backup` where it is damaged. */
export async function* readPart(folder: string, path: string): AsyncGenerator<{ line: Json; length: number }> {
  let lines = 0;
  let ended = false;
  try {
    for await (const text of textLines(folder, path)) {
      if (ended) throw new Error('lines follow the last one');
      const line = JSON.parse(text) as Json;
      if (line !== null && typeof line === 'object' && 'end' in line) {
        if (line.end !== lines) throw new Error(`${lines} lines instead of ${line.end}`);
        ended = true;
        continue;
      }
      lines++;
      yield { line, length: text.length };
    }
    if (!ended) throw new Error('the last line is missing');
  } catch (error) {
    throw error instanceof Failure ? error : corruptBackup(`${path} is damaged`, error);
  }
}
