import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file so that there is all of it or none, and that a power cut does not take it back. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const working = `${path}.partial`;
  const file = await open(working, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(working, path);
  await syncToDisk(dirname(path));
}

/** Has the disk keep what a file or a folder holds now. */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
