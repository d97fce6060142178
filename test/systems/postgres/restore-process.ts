// Restores a part in a process of its own, for tests that kill it. Arguments: the database's URL, the part's folder.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BackupPart } from '../../../src/systems/system.ts';
import { systemAt } from './fresh-database.ts';

const [url = '', folder = ''] = process.argv.slice(2);
const part = JSON.parse(readFileSync(path.join(folder, '..', `${path.basename(folder)}.json`), 'utf8')) as BackupPart;
const system = systemAt(new URL(url));
await system.restore?.(part, folder, {
  objectsFolder: '',
  signal: new AbortController().signal,
  progress: () => undefined,
});
await system.close();
