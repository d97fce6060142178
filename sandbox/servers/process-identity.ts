import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What tells a process from a later one with the same pid. */
export interface ProcessIdentity {
  /** When it started, in the system's own words (on Linux clock ticks since boot). */
  readonly started: string;
  /** Its command line, arguments joined by spaces. */
  readonly command: string;
}

/** Reads who the process is; null where there is none (a zombie counts as none). */
export async function describeProcess(pid: number): Promise<ProcessIdentity | null> {
  return process.platform === 'linux' ? readProc(pid) : askPs(pid);
}

async function readProc(pid: number): Promise<ProcessIdentity | null> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field is the name in brackets and may hold spaces and brackets itself: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, started] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || started === undefined) return null;
    return { started, command: command.replaceAll('\0', ' ').trim() };
  } catch {
    return null;
  }
}

async function askPs(pid: number): Promise<ProcessIdentity | null> {
  try {
    const { stdout } = await execute('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)]);
    const line = stdout.trimEnd();
    return line === '' ? null : { started: line.slice(0, 24), command: line.slice(25) };
  } catch {
    return null;
  }
}
