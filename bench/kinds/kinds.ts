import { join } from 'node:path';
import type { Endpoints } from '../../sandbox/servers/endpoints.ts';
import { createProgress } from '../../sandbox/servers/progress.ts';
import { mcProgram } from '../mc-program.ts';
import { type Contest, type ContestFigures, compete } from './contest.ts';
import { makeAccounts, makeNotes, openGraph, removeBenchNodes } from './graph.ts';
import { graphContests } from './graph-contests.ts';
import { type LoadResult, measureLoad } from './load-of-applications.ts';
import { type MemoryFigures, measureMemory } from './memory-of-kinds.ts';
import { benchBucket, objectContests } from './object-contests.ts';
import { openSystem } from './perform.ts';
import { openTables, tableContest } from './table-contest.ts';

export interface KindsRequest {
  /** Records of each contest in graph and tables. */
  readonly records: number;
  readonly pairs: number;
  /** Small objects; the large ones are eight. */
  readonly objects: number;
  /** Records that go through one step for its memory. */
  readonly million: number;
  /** Operations of the applications a second, on each store. */
  readonly rate: number;
  /** Only names that hold one of these: kinds, `memory`, `load`; empty = all. */
  readonly names: readonly string[];
}

export interface KindsFigures {
  readonly contests: readonly ContestFigures[];
  readonly memory: readonly MemoryFigures[];
  readonly load: LoadResult | null;
}

const large = { count: 8, bytes: 64 * 2 ** 20 } as const;

/** Every step kind of records beside what people write by hand, in one run on the same stores. */
export async function measureKinds(
  endpoints: Endpoints,
  folder: string,
  request: KindsRequest,
  say: (line: string) => void,
): Promise<KindsFigures> {
  const { records, pairs, objects, names } = request;
  const wants = (name: string): boolean => names.length === 0 || names.some((part) => name.includes(part));
  const graph = openGraph(endpoints.neo4j);
  const pool = openTables(endpoints.postgres);
  const systems = {
    graph: openSystem('neo4j', endpoints),
    tables: openSystem('postgres', endpoints),
    objects: openSystem('minio', endpoints, benchBucket),
  };
  try {
    // First, while the servers' memory holds nothing else.
    const memory = wants('memory') ? await measureMemory(endpoints, request.million, say) : [];
    say(`making ${records.toLocaleString('en')} accounts with a note each`);
    await makeAccounts(graph, 'BenchAccount', records);
    await makeNotes(graph);
    const own = [...graphContests(graph, systems.graph, records), tableContest(pool, systems.tables, records)];
    if (wants('minio.copy-keys')) {
      const mc = { path: await buildMc(), folder: join(folder, 'mc') };
      const sizes = { small: { count: objects, bytes: 8 * 1024 }, large };
      own.push(...objectContests(endpoints.minio, systems.objects, mc, sizes));
    }
    const contests: ContestFigures[] = [];
    for (const contest of own.filter(({ name }) => wants(name))) contests.push(await compete(contest, pairs, say));
    const load = wants('load') ? await measureLoad(endpoints, loaded(own), request, say) : null;
    return { contests, memory, load };
  } finally {
    await removeBenchNodes(graph, ['BenchAccount', 'BenchNote', 'BenchPage', 'BenchHome']);
    await pool.query('DROP TABLE IF EXISTS bench_files');
    await graph.close();
    await pool.end();
    for (const system of Object.values(systems)) await system.close();
  }
}

/** The two kinds that the applications' records go through. */
function loaded(contests: readonly Contest[]): Contest[] {
  return contests.filter(({ name }) => name === 'neo4j.set-properties' || name === 'postgres.backfill-column');
}

async function buildMc(): Promise<string> {
  const progress = createProgress(process.stderr);
  const path = await mcProgram.build(progress.task('mc'));
  progress.stop();
  return path;
}
