import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { resolve } from 'node:path';
import { measureLatencies } from '../sandbox/slack/latencies.ts';
import type { MigrationRun } from './migration-run.ts';
import { type Line, lineTable, ratio, table } from './tables.ts';

const readme = resolve(import.meta.dirname, 'README.md');
const memoryAim = 300;
const acknowledgementAim = 100;

/** What the bench measures, each with a place of its own in the README. */
export type Part = 'run' | 'kinds' | 'platform' | 'clicks';

/** The figures of whole runs as Markdown: a table against the aims, then what they were made of. */
export function describeRuns(runs: readonly MigrationRun[]): string {
  return [lineTable([...runs.flatMap(acknowledgementLines), ...memoryLines(runs)]), ...runs.map(stepTable)].join(
    '\n\n',
  );
}

/** Puts the figures between their marks in the README, with the day and the machine. */
export async function recordResults(part: Part, text: string): Promise<void> {
  const [opening, closing] = [`<!-- ${part}: the bench writes this part -->`, `<!-- ${part}: until here -->`];
  const old = await readFile(readme, 'utf8');
  const [from, to] = [old.indexOf(opening), old.indexOf(closing)];
  if (from < 0 || to < from) throw new Error(`bench/README.md has no marks for the figures of ${part}`);
  await writeFile(readme, `${old.slice(0, from)}${opening}\n\n${text}\n\n${takenOn()}\n\n${old.slice(to)}`);
}

function acknowledgementLines({ users, idle, busy, refusedCalls }: MigrationRun): Line[] {
  const [quiet, loud] = [measureLatencies(idle), measureLatencies(busy)];
  const aim = `p99 ≤ ${acknowledgementAim} ms`;
  const who = `${users.toLocaleString('en')} users`;
  return [
    [
      `acknowledgement while a run goes on (${who})`,
      `p50 ${loud.p50.toFixed(1)} ms, p99 ${loud.p99.toFixed(1)} ms, most ${loud.max.toFixed(1)} ms, ${loud.count} commands, ${loud.failed} too late`,
      aim,
      loud.failed === 0 && loud.p99 <= acknowledgementAim,
    ],
    [
      `the same process before the run (${who})`,
      `p50 ${quiet.p50.toFixed(1)} ms, p99 ${quiet.p99.toFixed(1)} ms, ${quiet.count} commands; during ÷ before: p50 ${ratio(loud.p50, quiet.p50)}, p99 ${ratio(loud.p99, quiet.p99)}`,
      '',
      null,
    ],
    [`calls that Slack's rates refused (${who})`, String(refusedCalls), '', null],
  ];
}

function memoryLines(runs: readonly MigrationRun[]): Line[] {
  const [first, last] = [runs[0], runs.at(-1)];
  const each = runs.map(
    ({ users, before, after }): Line => [
      `memory of the bot, whole run over ${users.toLocaleString('en')} users`,
      `peak ${after.peak.toFixed(0)} MiB, at the end ${after.now.toFixed(0)} MiB (before: ${before.now.toFixed(0)}, peak of the start ${before.peak.toFixed(0)})`,
      `≤ ${memoryAim} MiB`,
      after.peak <= memoryAim,
    ],
  );
  if (!first || !last || first === last) return each;
  const [more, growth] = [last.users / first.users, last.after.peak / first.after.peak];
  return [
    ...each,
    [`growth of the peak with ${more} × the users`, `${growth.toFixed(2)} ×`, 'none (≤ 1.15 ×)', growth <= 1.15],
  ];
}

function stepTable({ users, seconds, steps }: MigrationRun): string {
  const rows = steps.map(({ step, records, seconds: took }) => [
    `\`${step}\``,
    records.toLocaleString('en'),
    `${took.toFixed(1)} s`,
    took > 0 && records > 0 ? Math.round(records / took).toLocaleString('en') : '',
  ]);
  const title = `The whole run over ${users.toLocaleString('en')} users, asked for to done: ${seconds.toFixed(0)} s. By the engine's own books, verification of each step included:`;
  return `${title}\n\n${table(['step', 'records', 'took', 'a second'], rows)}`;
}

function takenOn(): string {
  const [processor] = cpus();
  const cores = `${cpus().length} cores${processor ? ` (${processor.model.trim()})` : ''}`;
  return `Taken on ${new Date().toISOString().slice(0, 10)}: ${cores}, ${arch()}, Node ${process.versions.node}, Neo4j 5.26 (default JIT, heap 1 GiB), PostgreSQL 15, all of it on one machine.`;
}
