import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { describeProcess, type ProcessIdentity } from './process-identity.ts';

/** A server process to be started so that it outlives us. */
export interface DetachedProcess {
  readonly pidFile: string;
  readonly logFile: string;
  readonly command: string;
  readonly args: readonly string[];
  /** A part of the command line that no other process has, such as the data folder. */
  readonly mark: string;
  /** The signal that ends it in an orderly way. */
  readonly stopSignal: NodeJS.Signals;
  readonly env?: { readonly [name: string]: string };
  readonly cwd: string;
}

/** What a pid file says. */
export interface PidFile {
  readonly pid: number;
  /** When the process started, in the system's own words; compared, never parsed. */
  readonly started: string;
  readonly stopSignal: NodeJS.Signals;
  readonly mark: string;
}

/**
 * The shell writes the pid file and then becomes the server. So the file is there before the server is, and a caller
 * that is killed in between leaves no process that nobody knows.
 */
const launch = [
  'started=$(cut -d " " -f 22 "/proc/$$/stat" 2>/dev/null || ps -o lstart= -p "$$")',
  'printf "%s\\n%s\\n%s\\n%s\\n" "$$" "$started" "$3" "$2" > "$1.new"',
  'mv "$1.new" "$1"',
  'shift 3',
  'exec "$@"',
].join(' && ');

/** Starts the process in a session of its own with its output going to the log file. */
export async function startDetached(wanted: DetachedProcess): Promise<void> {
  const log = await open(wanted.logFile, 'a', 0o600);
  try {
    await rm(wanted.pidFile, { force: true });
    const child = spawn(
      'sh',
      ['-c', launch, 'sh', wanted.pidFile, wanted.mark, wanted.stopSignal, wanted.command, ...wanted.args],
      {
        cwd: wanted.cwd,
        env: { ...process.env, ...wanted.env },
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    // However slow the machine is: going on without the file would mean a process that nobody can end.
    while (!ended && (await readPidFile(wanted.pidFile)) === null) await pause(20);
    child.unref();
  } finally {
    await log.close();
  }
}

/** Reads a pid file; null where there is none or it is cut short. */
export async function readPidFile(path: string): Promise<PidFile | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [pid, started, stopSignal, mark] = text.split('\n');
  if (!pid || !/^\d+$/.test(pid) || !started || !stopSignal || !mark) return null;
  return { pid: Number(pid), started, stopSignal: stopSignal as NodeJS.Signals, mark };
}

/**
 * True where the process is the one that the pid file was written for, and not a later one with the same pid. While a
 * process turns into another program the system shows an empty command line: then its time of start decides alone.
 */
function isSameProcess(file: PidFile, found: ProcessIdentity | null): boolean {
  if (found === null || found.started !== file.started) return false;
  return found.command === '' || found.command.includes(file.mark);
}

/** The pid of the running process that the pid file names; null where it does not run any more. */
export async function findRunning(pidFile: string): Promise<number | null> {
  const file = await readPidFile(pidFile);
  if (file === null) return null;
  return isSameProcess(file, await describeProcess(file.pid)) ? file.pid : null;
}

/**
 * Ends exactly the process of the pid file: its own signal, then SIGKILL when it has not gone after `graceMs`. Answers
 * how it went; `absent` where it did not run.
 */
export async function stopProcess(pidFile: string, graceMs: number): Promise<'ended' | 'killed' | 'absent'> {
  const file = await readPidFile(pidFile);
  let outcome: 'ended' | 'killed' | 'absent' = 'absent';
  if (file !== null && isSameProcess(file, await describeProcess(file.pid))) {
    outcome = 'ended';
    send(file.pid, file.stopSignal);
    if (!(await isGone(file, graceMs))) {
      outcome = 'killed';
      send(file.pid, 'SIGKILL');
      if (!(await isGone(file, 10_000))) throw new Error(`process ${file.pid} does not end`);
    }
  }
  await rm(pidFile, { force: true });
  return outcome;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isGone(file: PidFile, withinMs: number): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (isSameProcess(file, await describeProcess(file.pid))) {
    if (Date.now() > end) return false;
    await pause(50);
  }
  return true;
}
