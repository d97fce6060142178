import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a process is loaded with beforehand: it writes each half second how long its event loop stood still, in milliseconds. */
const place = process.env.TAS_BENCH_LOOP;
if (place !== undefined && process.argv[1]?.match(/(main|bare-bolt)\.ts$/)) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  setInterval(() => {
    const [p50, p99, most] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => Math.round(ns / 1e6));
    // In one move: it is read while it is written again.
    writeFileSync(`${place}.new`, JSON.stringify({ p50, p99, most }));
    renameSync(`${place}.new`, place);
  }, 500).unref();
}
