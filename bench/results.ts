import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';
import { resolve } from 'node:path';
import { measureLatencies } from '../sandbox/slack/latencies.ts';
import type { MigrationRun } from './migration-run.ts';
import type { RateFigures } from './rate.ts';
import { median } from './statistics.ts';

export interface Results {
  readonly runs: readonly MigrationRun[];
  readonly rate: RateFigures | null;
}

const readme = resolve(import.meta.dirname, 'README.md');
const [opening, closing] = ['<!-- the bench writes this part -->', '<!-- until here -->'];
const memoryAim = 300;
const acknowledgementAim = 100;

type Line = readonly [what: string, measured: string, aim: string, met: boolean | null];

/** All figures as Markdown: a table against the aims, then what they were made of. */
export function describeResults({ runs, rate }: Results): string {
  const lines = [...runs.flatMap(acknowledgementLines), ...(rate ? rateLines(rate) : []), ...memoryLines(runs)];
  const rows = lines.map(([what, measured, aim, met]) => [
    what,
    measured,
    aim,
    met === null ? '' : met ? 'yes' : '**no**',
  ]);
  return [
    table(['what', 'measured', 'aim', 'met'], rows),
    ...(rate ? [pairTable(rate)] : []),
    ...runs.map(stepTable),
    takenOn(),
  ].join('\n\n');
}

/** Puts the figures between their marks in the README. */
export async function recordResults(text: string): Promise<void> {
  const old = await readFile(readme, 'utf8');
  const [from, to] = [old.indexOf(opening), old.indexOf(closing)];
  if (from < 0 || to < from) throw new Error('bench/README.md has no marks for the figures');
  await writeFile(readme, `${old.slice(0, from)}${opening}\n\n${text}\n\n${old.slice(to)}`);
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

function rateLines({ users, pairs, batches, journalBytes }: RateFigures): Line[] {
  const speed = median(pairs.map(({ ours, apoc }) => apoc / ours));
  const perSecond = (seconds: readonly number[]): string => Math.round(users / median(seconds)).toLocaleString('en');
  return [
    [
      `\`neo4j.set-properties\` with journal ÷ \`apoc.periodic.iterate\`, ${users.toLocaleString('en')} users`,
      `${speed.toFixed(2)} × (median of ${pairs.length} pairs; ${perSecond(pairs.map(({ ours }) => ours))} against ${perSecond(pairs.map(({ apoc }) => apoc))} users a second)`,
      '≥ 1 ×',
      speed >= 1,
    ],
    [
      'journal of one such pass',
      `${batches} batches, ${(journalBytes / 2 ** 20).toFixed(1)} MiB sealed, ${Math.round(journalBytes / users)} bytes a user`,
      '',
      null,
    ],
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

function pairTable({ pairs }: RateFigures): string {
  const rows = pairs.map(({ ours, apoc }, at) => [
    String(at + 1),
    `${ours.toFixed(1)} s`,
    `${apoc.toFixed(1)} s`,
    `${ratio(apoc, ours)}`,
  ]);
  return table(['pair', 'ours', 'APOC', 'speed'], rows);
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
  return `Taken on ${new Date().toISOString().slice(0, 10)}: ${cores}, ${arch()}, Node ${process.versions.node}, Neo4j 5.26 (default JIT, heap 1 GiB), PostgreSQL 15, all of it and the simulated Slack on one machine.`;
}

function ratio(over: number, under: number): string {
  return `${(over / under).toFixed(2)} ×`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
