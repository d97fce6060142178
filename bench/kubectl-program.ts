import { join } from 'node:path';
import { goProgram } from '../sandbox/servers/go-program.ts';

/** kubectl, which stopping and starting services is measured against; nothing else needs it. */
export const kubectlProgram = goProgram({
  name: 'kubectl',
  folder: join(import.meta.dirname, 'kubectl'),
  what: 'kubectl',
  buildMs: 180_000,
  packages: 800,
});
