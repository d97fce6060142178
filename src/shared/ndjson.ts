import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { Json } from './json.ts';

/** Writes a value a line, zstd, into a new file that is on disk when this returns. Memory does not grow with it. */
export async function writeNdjsonZst(path: string, values: AsyncIterable<Json>): Promise<void> {
  async function* lines(): AsyncIterable<string> {
    for await (const value of values) yield `${JSON.stringify(value)}\n`;
  }
  const file = createWriteStream(path, { flags: 'wx', flush: true });
  await pipeline(Readable.from(lines()), createZstdCompress(), file);
}

/** Reads it back. Throws where the file is cut short or no JSON. */
export async function* readNdjsonZst(path: string): AsyncIterable<unknown> {
  const file = createReadStream(path);
  const plain = createZstdDecompress();
  file.on('error', (error) => plain.destroy(error));
  try {
    for await (const line of linesOf(file.pipe(plain))) yield JSON.parse(line);
  } finally {
    file.destroy();
  }
}

/** Lines ended by a line feed and nothing else; a last one without is left out. */
export async function* linesOf(bytes: AsyncIterable<unknown>): AsyncIterable<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      yield rest.toString('utf8', from, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
}
