import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { resolve } from 'node:path';

/** The bot as a process of its own, as it runs anywhere else. */
export interface BotProcess {
  readonly pid: number;
  /** Resolves when the process has ended, with its exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

interface BotOptions {
  readonly configPath: string;
  /** Standard output and error go there. */
  readonly logPath: string;
  /** Where it will listen for Slack's requests; null for Socket Mode: then nobody waits for it here. */
  readonly port: number | null;
  readonly timeoutMs?: number;
}

const main = resolve(import.meta.dirname, '../src/main.ts');
/** As in the Dockerfile: left alone, V8 takes several times what the bot needs before it collects. */
export const heapOptions = ['--max-semi-space-size=8', '--heap-growing-percent=50'];

/** Starts the bot and comes back when it listens. Throws with the end of its log when it does not. */
export async function startBot(options: BotOptions): Promise<BotProcess> {
  const log = openSync(options.logPath, 'a', 0o600);
  const child = spawn(process.execPath, [...heapOptions, '--no-warnings', main], {
    env: { ...process.env, TAS_CONFIG: options.configPath },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const ended = new Promise<number | NodeJS.Signals>((done) => {
    child.once('exit', (code, signal) => done(signal ?? code ?? 1));
  });
  if (options.port !== null) await untilListening(child, ended, options, options.port);
  return {
    pid: child.pid ?? 0,
    ended,
    async kill(signal) {
      child.kill(signal);
      await ended;
    },
  };
}

async function untilListening(
  child: ChildProcess,
  ended: Promise<unknown>,
  options: BotOptions,
  port: number,
): Promise<void> {
  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!(await answers(port))) {
    if (over || Date.now() > deadline) {
      child.kill('SIGKILL');
      const text = await readFile(options.logPath, 'utf8').catch(() => '');
      throw new Error(`the bot did not start: ${text.slice(-2_000)}`);
    }
  }
}

/** Whether somebody accepts connections; a refusal is answered after a short pause, so that asking again is no busy loop. */
function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => setTimeout(() => done(false), 50));
  });
}
