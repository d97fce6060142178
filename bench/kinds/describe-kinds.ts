import type { LoadFigures } from '../load-process.ts';
import { median } from '../statistics.ts';
import { type Line, lineTable, ratio, table } from '../tables.ts';
import type { ContestFigures } from './contest.ts';
import type { KindsFigures } from './kinds.ts';

const ratioAim = 1.25;
const memoryAim = 300;

/** The figures of the kinds as Markdown. */
export function describeKinds({ contests, memory, load }: KindsFigures): string {
  const lines: Line[] = [
    ...contests.map(ratioLine),
    ...memory.map(
      ({ name, records, after, before, seconds, batches, blocked }): Line => [
        `peak memory of a process that puts ${records.toLocaleString('en')} records through \`${name}\``,
        `${after.peak.toFixed(0)} MiB (before: ${before.now.toFixed(0)}; ${seconds.toFixed(0)} s, ${batches} batches; event loop blocked for ${blocked.toFixed(0)} ms at most)`,
        `≤ ${memoryAim} MiB`,
        after.peak <= memoryAim,
      ],
    ),
  ];
  const parts = [lineTable(lines)];
  if (contests.length > 0) parts.push(secondsTable(contests));
  if (load) parts.push(loadTable(load.rate, load.figures));
  return parts.join('\n\n');
}

/** The rival with the smallest median, and the median of the pairs with it. */
function bestOf({ rounds }: ContestFigures): { name: string; over: number } {
  const names = Object.keys(rounds[0]?.rivals ?? {});
  const middle = (name: string): number => median(rounds.map(({ rivals }) => rivals[name] ?? Number.NaN));
  const [name = ''] = names.toSorted((a, b) => middle(a) - middle(b));
  return { name, over: median(rounds.map(({ ours, rivals }) => ours / (rivals[name] ?? Number.NaN))) };
}

function ratioLine(figures: ContestFigures): Line {
  const { name, over } = bestOf(figures);
  return [
    `\`${figures.name}\` with journal ÷ ${name}, the best by hand`,
    `${over.toFixed(2)} × (median of ${figures.rounds.length} pairs, ${figures.records.toLocaleString('en')} records)`,
    `≤ ${ratioAim} ×`,
    over <= ratioAim,
  ];
}

function secondsTable(contests: readonly ContestFigures[]): string {
  const seconds = (values: readonly number[]): string =>
    `${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`;
  const rows = contests.flatMap(({ name, records, batches, rounds }) => [
    [
      `\`${name}\``,
      `ours, ${batches} batches`,
      seconds(rounds.map(({ ours }) => ours)),
      '',
      perSecond(records, rounds),
    ],
    ...Object.keys(rounds[0]?.rivals ?? {}).map((rival) => [
      '',
      rival,
      seconds(rounds.map(({ rivals }) => rivals[rival] ?? Number.NaN)),
      ratio(median(rounds.map(({ ours, rivals }) => ours / (rivals[rival] ?? Number.NaN))), 1),
      '',
    ]),
  ]);
  return `Seconds of a pass: median (least–most). \`ours ÷ it\` is the median of the pairs.\n\n${table(['kind', 'by', 'seconds', 'ours ÷ it', 'records a second'], rows)}`;
}

function perSecond(records: number, rounds: ContestFigures['rounds']): string {
  return Math.round(records / median(rounds.map(({ ours }) => ours))).toLocaleString('en');
}

function loadTable(rate: number, figures: readonly LoadFigures[]): string {
  const phases = [...new Set(figures.map(({ phase }) => phase))];
  const cells = (phase: string, sort: LoadFigures['sort']): string[] => {
    const kind = phase.slice(0, phase.indexOf('.'));
    const one = figures.find((f) => f.phase === phase && f.sort === sort && f.store === kind);
    if (!one) return ['', '', ''];
    const failed = one.failed > 0 ? `, ${one.failed} failed` : '';
    return [
      `${one.p50.toFixed(1)} ms`,
      `${one.p99.toFixed(1)} ms`,
      `${one.most.toFixed(0)} ms (${one.count}${failed})`,
    ];
  };
  const rows = phases.map((phase) => [phase, ...cells(phase, 'read'), ...cells(phase, 'write')]);
  const head = ['phase', 'read p50', 'p99', 'most (of)', 'write p50', 'p99', 'most (of)'];
  return `Applications beside it: another process reads and writes single records of the same collection, ${rate} operations a second (three of four read), each timed from the moment in which it was due.\n\n${table(head, rows)}`;
}
