import { Failure } from '../../../src/shared/failure.ts';
import { askProgram } from '../run-program.ts';

/** PostgreSQL refuses to run as root; then it runs as the system's user `postgres`, else as us (null). */
export async function serverUser(): Promise<{ readonly uid: number; readonly gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const [, , uid, gid] = ((await askProgram('getent', ['passwd', 'postgres'])) ?? '').split(':');
  if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  throw new Failure({
    code: 'precondition-failed',
    message: 'PostgreSQL refuses to run as root and there is no system user "postgres".',
    advice: 'Make one with: useradd --system --home-dir /var/lib/postgresql postgres. Or run this as another user.',
  });
}

/** The command so that it runs as the server's user. */
export async function asServerUser(
  command: string,
  args: readonly string[],
): Promise<{ readonly command: string; readonly args: readonly string[] }> {
  const user = await serverUser();
  if (user === null) return { command, args };
  return {
    command: 'setpriv',
    args: [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', command, ...args],
  };
}
