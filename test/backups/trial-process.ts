// Restores a part beside a live database in a process of its own, and waits to be killed. Arguments: the database's URL, the part's folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupPart } from '../../src/systems/system.ts';
import { systemAt } from '../systems/postgres/fresh-database.ts';

const [url = '', folder = ''] = process.argv.slice(2);
const { format, files, fingerprint, excludes } = JSON.parse(
  readFileSync(join(folder, 'part.json'), 'utf8'),
) as BackupPart;
const context = { objectsFolder: '', signal: new AbortController().signal, progress: () => undefined };
await systemAt(new URL(url)).trial?.restoreBeside?.({ format, files, fingerprint, excludes }, folder, context, () => {
  process.stdout.write('restored\n');
  return new Promise(() => setInterval(() => undefined, 60_000));
});
