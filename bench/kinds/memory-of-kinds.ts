import { resolve } from 'node:path';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import type { MemoryAnswer, MemoryTask } from '../memory-process.ts';
import { nextMessage, startProcess } from './ask-process.ts';
import { makeAccounts, openGraph, removeBenchNodes } from './graph.ts';
import type { Step } from './perform.ts';
import { backfill, makeFiles, openTables } from './table-contest.ts';

export interface MemoryFigures extends MemoryAnswer {
  readonly name: string;
}

const module = resolve(import.meta.dirname, '../memory-process.ts');

const fill: Step = {
  use: 'neo4j.set-properties',
  with: {
    label: 'BenchMillion',
    key: 'id',
    where: 'n.tenant_id IS NULL',
    set: { tenant_id: "'tenant_' + $sequence", space_id: "'space_' + $sequence" },
  },
};

/** Peak memory while so many records go through one step, each in a process of its own. */
export async function measureMemory(
  endpoints: Endpoints,
  records: number,
  say: (line: string) => void,
): Promise<MemoryFigures[]> {
  const graph = openGraph(endpoints.neo4j);
  const pool = openTables(endpoints.postgres);
  try {
    say(`memory: making ${records.toLocaleString('en')} nodes and rows`);
    await makeAccounts(graph, 'BenchMillion', records);
    const inGraph = await measure(endpoints, 'neo4j', fill, say);
    const set = await graph.count('MATCH (n:BenchMillion) RETURN count(DISTINCT n.tenant_id)');
    refuse(set, inGraph, records);
    await removeBenchNodes(graph, ['BenchMillion']);
    await makeFiles(pool, records);
    const inTables = await measure(endpoints, 'postgres', backfill, say);
    const { rows } = await pool.query('SELECT count(space_id)::int AS filled FROM bench_files');
    refuse(rows[0].filled, inTables, records);
    await pool.query('DROP TABLE bench_files');
    return [inGraph, inTables];
  } finally {
    await graph.close();
    await pool.end();
  }
}

async function measure(
  endpoints: Endpoints,
  type: MemoryTask['type'],
  step: Step,
  say: (line: string) => void,
): Promise<MemoryFigures> {
  const child = startProcess(module);
  try {
    const answer = nextMessage<MemoryAnswer>(child);
    child.send({ type, endpoints, step } satisfies MemoryTask);
    const figures = { name: step.use, ...(await answer) };
    say(`memory: ${step.use} peaked at ${figures.after.peak.toFixed(0)} MiB in ${figures.seconds.toFixed(0)} s`);
    return figures;
  } finally {
    child.kill();
  }
}

function refuse(found: number, { name, records }: MemoryFigures, wanted: number): void {
  if (found !== wanted || records !== wanted)
    throw new Error(`${name} wrote ${records} records, ${found} are there, of ${wanted}`);
}
