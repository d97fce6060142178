#!/usr/bin/env node
import { systemClock } from './shared/clock.ts';
import { slowAfter } from './shared/when-slow.ts';
import { runTerminal } from './terminal/run-terminal.ts';

/** Standard output is for the answer alone: libraries that print (a database being set up) print to standard error. */
const print = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;

/** `npx tas <words> [--as person] [--json] [--wait]`: the same commands as in Slack, through the same door. */
process.exitCode = await runTerminal(process.argv.slice(2), {
  async open(as) {
    // Only now: drivers take their time to load, and wrong use needs none of them.
    const [{ openApp }, { loadConfig, terminalToken }] = await Promise.all([
      import('./app.ts'),
      import('./config/load-config.ts'),
    ]);
    const app = await openApp(await loadConfig());
    try {
      const person = await app.terminalPerson(as, terminalToken());
      return { door: app.door, desks: app.desks, person, close: () => app.close() };
    } catch (error) {
      await app.close();
      throw error;
    }
  },
  out: (text) => void print(text),
  err: (text) => void process.stderr.write(text),
  ...(process.stderr.isTTY ? { slowAfter } : {}),
  clock: systemClock,
});
