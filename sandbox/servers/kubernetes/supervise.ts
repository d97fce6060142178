/**
 * Starts the servers of the control plane one after another and ends them in the opposite order: clients before what they
 * talk to. Arguments: the program, a JSON file with the children, the folder of logs. When a child ends by itself, all do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Child } from './children.ts';

const endsWithin = 10_000;
const [program = '', childrenFile = '', logs = ''] = process.argv.slice(2);
const children = JSON.parse(readFileSync(childrenFile, 'utf8')) as readonly Child[];
const running: { readonly name: string; readonly child: ChildProcess }[] = [];
let ending = false;

process.once('SIGTERM', () => void endAll(0));
process.once('SIGINT', () => void endAll(0));

for (const { name, args, ready } of children) {
  if (ending) break;
  const log = openSync(join(logs, `kubernetes.${name}.log`), 'a', 0o600);
  // They read what never comes: when this process is killed, its end of the pipe closes and they end by themselves.
  const env = { ...process.env, END_WITH_STDIN: 'yes' };
  const child = spawn(program, [name, ...args], { env, stdio: ['pipe', log, log] });
  child.stdin?.on('error', () => undefined);
  child.once('error', (error) => void endAll(1, `${name} does not start: ${error.message}`));
  child.once('exit', (code, signal) => void endAll(1, `${name} has ended by itself (${signal ?? code})`));
  running.push({ name, child });
  while (ready !== undefined && !ending && !(await answers(ready))) await pause(50);
}

async function endAll(code: number, why?: string): Promise<void> {
  if (ending) return;
  ending = true;
  if (why !== undefined) process.stderr.write(`${why}\n`);
  for (const { child } of running.reverse()) await end(child);
  process.exit(code);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = new AbortController();
  const killed = pause(endsWithin, undefined, { signal: late.signal }).then(
    () => child.kill('SIGKILL'),
    () => undefined,
  );
  await gone;
  late.abort();
  await killed;
}

/** Its own certificate is not known yet: nothing is sent but the question. */
async function answers(url: string): Promise<boolean> {
  if (url.startsWith('http:')) {
    return fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }
  return new Promise((resolve) => {
    const request = https.get(url, { rejectUnauthorized: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}
