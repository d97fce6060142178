import { join } from 'node:path';
import type { Task } from '../progress.ts';
import { pythonProgram } from '../python-program.ts';

/** The one list of what the worker needs lies beside it. */
const requirements = join(import.meta.dirname, '../../../src/systems/deeplake/worker/requirements.txt');

const deeplake = pythonProgram({ name: 'deeplake', requirements, complete: true, installMs: 25_000 });

/** A Python for DeepLake's worker, made once for this user in the cache folder; answers the Python's path. */
export function installDeeplake(task: Task): Promise<string> {
  return deeplake.install(task);
}
