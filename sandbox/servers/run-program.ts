import { spawn } from 'node:child_process';
import { Failure } from '../../src/shared/failure.ts';

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: { readonly [name: string]: string };
  /** Ends the program after this many milliseconds. */
  readonly timeoutMs?: number;
  /** Called with every line of output as it comes. */
  readonly onLine?: (line: string) => void;
  /** Said to the operator when it fails. */
  readonly advice?: string;
}

/** Runs a program to its end and answers its output. Throws `step-failed` with the last lines where it fails. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
  });
  let output = '';
  let rest = '';
  const take = (chunk: string): void => {
    output = (output + chunk).slice(-200_000);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) options.onLine?.(line);
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const status = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : signal === null ? `status ${code}` : `${signal}`));
  });
  if (status === '') return output;
  const last = output.trim().split('\n').slice(-12).join('\n');
  throw new Failure({
    code: 'step-failed',
    message: `${[command, ...args].join(' ').slice(0, 200)} ended with ${status}${last === '' ? '.' : `:\n${last}`}`,
    advice: options.advice ?? 'Remove the cause and ask again; what was done already is kept.',
    retryable: true,
  });
}

/** The same for a question whose failure is an answer: null where the program is missing or fails. */
export async function askProgram(command: string, args: readonly string[], timeoutMs = 10_000): Promise<string | null> {
  return runProgram(command, args, { timeoutMs }).catch(() => null);
}
