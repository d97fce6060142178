import { join } from 'node:path';
import type { Task } from '../progress.ts';
import { pythonProgram } from '../python-program.ts';

const alembic = pythonProgram({
  name: 'alembic',
  requirements: join(import.meta.dirname, 'requirements.txt'),
  installMs: 20_000,
});

/** A Python with alembic and a driver, made once for this user in the cache folder; answers the Python's path. */
export function installAlembic(task: Task): Promise<string> {
  return alembic.install(task);
}
