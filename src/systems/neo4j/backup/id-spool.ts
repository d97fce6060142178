import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Remembers a few bytes for each node on disk, by the node's number: memory does not grow with the graph. The file is
 * unlinked at once, so that nothing stays behind after a crash.
 */
export interface IdSpool {
  put(id: number, value: Buffer): void;
  /** Undefined where nothing was put. */
  get(id: number): Buffer | undefined;
  close(): void;
}

const PAGE_SLOTS = 1024;
const PAGES = 512;

interface Page {
  readonly bytes: Buffer;
  changed: boolean;
}

/** `width` = bytes a node. A slot's first byte says whether it is taken. */
export function createIdSpool(width: number): IdSpool {
  const folder = mkdtempSync(join(tmpdir(), 'tas-spool-'));
  const path = join(folder, 'ids');
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  rmdirSync(folder);
  const slot = width + 1;
  const size = slot * PAGE_SLOTS;
  const pages = new Map<number, Page>();
  const evict = () => {
    const [number, page] = pages.entries().next().value as [number, Page];
    pages.delete(number);
    if (page.changed) writeSync(file, page.bytes, 0, size, number * size);
  };
  const pageOf = (id: number): Page => {
    const number = Math.floor(id / PAGE_SLOTS);
    let page = pages.get(number);
    if (page) {
      pages.delete(number);
    } else {
      page = { bytes: Buffer.alloc(size), changed: false };
      readSync(file, page.bytes, 0, size, number * size);
      if (pages.size >= PAGES) evict();
    }
    pages.set(number, page);
    return page;
  };
  const offsetOf = (id: number) => (id % PAGE_SLOTS) * slot;
  return {
    put(id, value) {
      const page = pageOf(id);
      page.bytes[offsetOf(id)] = 1;
      value.copy(page.bytes, offsetOf(id) + 1, 0, width);
      page.changed = true;
    },
    get(id) {
      const { bytes } = pageOf(id);
      const at = offsetOf(id);
      return bytes[at] === 1 ? Buffer.from(bytes.subarray(at + 1, at + slot)) : undefined;
    },
    close: () => closeSync(file),
  };
}
