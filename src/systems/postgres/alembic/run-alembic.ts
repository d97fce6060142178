import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../../shared/failure.ts';
import type { KindSetting } from '../batch.ts';
import { readLastError, scrubLine } from './alembic-output.ts';
import type { AlembicStep } from './alembic-step.ts';

const SEARCH_PATH = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';
const MOST_OUTPUT = 8_000_000;
const ERRORS_KEPT = 64_000;
/** After being asked to end. */
const GRACE_MS = 5000;
const LOCK_TIMEOUT = 5000;

/** What one call of the service's alembic came to. */
export interface AlembicResult {
  readonly ok: boolean;
  /** What it printed: SQL, when it was asked for that. */
  readonly output: string;
  /** Its last error in one scrubbed line; empty where it was fine. */
  readonly error: string;
  /** It gave up on a lock that others hold: the same call may succeed later. */
  readonly lockTimeout: boolean;
}

export interface AlembicCall {
  readonly signal: AbortSignal;
  readonly timeLimitMs: number;
  /** Whatever its own code does, the server lets it read only. */
  readonly readOnly?: boolean;
  /** How its connections to the server are called, by which they are found again. */
  readonly sessionName: string;
}

/**
 * Runs `python -m alembic` in the service's folder as a process group of its own, which ends with the signal and with the
 * time limit. The database's address goes by environment variables only. Throws `precondition-failed` where it cannot be
 * started, `timed-out`, `cancelled`.
 */
export async function runAlembic(
  setting: KindSetting,
  step: AlembicStep,
  args: readonly string[],
  call: AlembicCall,
): Promise<AlembicResult> {
  call.signal.throwIfAborted();
  await access(join(step.folder, 'alembic.ini')).catch((cause) => {
    throw noAlembic(
      `${step.folder} holds no alembic.ini`,
      'Name the folder of the service in which alembic.ini lies.',
      cause,
    );
  });
  const child = spawn(step.python, ['-m', 'alembic', '-c', 'alembic.ini', ...args], {
    cwd: step.folder,
    env: environment(setting, step, call),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const killGroup = (name: 'SIGTERM' | 'SIGKILL'): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has gone by itself.
    }
  };
  const secret = setting.password.reveal();
  let output = '';
  let errors = '';
  let ended: 'time' | 'signal' | 'output' | null = null;
  let killer: NodeJS.Timeout | undefined;
  const end = (why: 'time' | 'signal' | 'output'): void => {
    ended ??= why;
    killGroup('SIGTERM');
    killer ??= setTimeout(() => killGroup('SIGKILL'), GRACE_MS);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output.length > MOST_OUTPUT) end('output');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (/^INFO .*Running /.test(line)) setting.logger.info({ line: scrubLine(line, secret) }, 'alembic');
    }
    errors = (errors + text).slice(-ERRORS_KEPT);
  });
  const clock = setTimeout(() => end('time'), call.timeLimitMs);
  const stop = (): void => end('signal');
  call.signal.addEventListener('abort', stop, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (ended !== null) throw interrupted(ended, step);
    const error = status === 0 ? '' : readLastError(errors, output, secret);
    if (/No module named '?alembic/.test(errors)) throw noAlembic('it has no alembic', installAdvice(step));
    const lockTimeout = status !== 0 && /LockNotAvailable|lock timeout/.test(errors);
    return { ok: status === 0, output, error, lockTimeout };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall?.startsWith('spawn') !== true) throw error;
    throw noAlembic(`${step.python} cannot be run`, installAdvice(step), error);
  } finally {
    clearTimeout(clock);
    clearTimeout(killer);
    call.signal.removeEventListener('abort', stop);
    // What it started and left behind.
    if (ended !== null) killGroup('SIGKILL');
  }
}

function environment(setting: KindSetting, step: AlembicStep, call: AlembicCall): NodeJS.ProcessEnv {
  const { host, port, database, user } = setting.database.place;
  const password = setting.password.reveal();
  const address = host.includes(':') ? `[${host}]` : host;
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const settings = [
    `lock_timeout=${LOCK_TIMEOUT}`,
    `statement_timeout=${call.timeLimitMs}`,
    ...(call.readOnly ? ['default_transaction_read_only=on'] : []),
  ];
  return {
    PATH: SEARCH_PATH,
    LC_ALL: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONNOUSERSITE: '1',
    [step.urlVariable]: `${step.urlScheme}://${login}@${address}:${port}/${encodeURIComponent(database)}`,
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    PGAPPNAME: call.sessionName,
    PGOPTIONS: settings.map((text) => `-c ${text}`).join(' '),
  };
}

function interrupted(why: 'time' | 'signal' | 'output', step: AlembicStep): Failure {
  if (why === 'signal') {
    const advice = 'alembic was ended; PostgreSQL takes back what it had not committed.';
    return new Failure({ code: 'cancelled', message: 'Stopped on request while alembic was at work.', advice });
  }
  const what = why === 'time' ? `took longer than ${step.timeLimit} s` : 'printed more than can be looked at';
  return new Failure({
    code: 'timed-out',
    message: `alembic in ${step.folder} ${what} and was ended.`,
    advice: 'PostgreSQL takes back what it had not committed. Raise `timeLimit`, or see what it waits for; then retry.',
    retryable: true,
  });
}

const installAdvice = ({ folder }: AlembicStep): string =>
  `Install the service's requirements for the bot, for example: python3 -m venv ${folder}/.venv && ${folder}/.venv/bin/pip install alembic psycopg; then name ${folder}/.venv/bin/python as \`python\`.`;

function noAlembic(what: string, advice: string, cause?: unknown): Failure {
  return new Failure({ code: 'precondition-failed', message: `alembic cannot be run: ${what}.`, advice, cause });
}
