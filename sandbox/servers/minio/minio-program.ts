import { goProgram } from '../go-program.ts';

/** The server: no package ships it. */
export const minioProgram = goProgram({
  name: 'minio',
  folder: import.meta.dirname,
  what: 'the server',
  buildArgs: ['-tags', 'kqueue'],
  buildMs: 240_000,
  packages: 1_300,
});
