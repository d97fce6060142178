import { join } from 'node:path';
import { goProgram } from '../sandbox/servers/go-program.ts';

/** MinIO's own client, which `minio.copy-keys` is measured against; nothing else needs it. */
export const mcProgram = goProgram({
  name: 'mc',
  folder: join(import.meta.dirname, 'mc'),
  what: "MinIO's client",
  buildMs: 120_000,
  packages: 900,
});
