import type { Orphan } from '../../src/runs/control-records.ts';
import { watchRuns } from '../../src/runs/watch-runs.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import { createMemorySystem } from '../../src/systems/memory/memory-system.ts';

const logger = createLogger('silent');

/** What happened to one orphan: what was parked and why, and what was told. */
async function watch(
  over: Partial<Orphan>,
  standing: string[] = [],
): Promise<{ parked: string[]; told: (string | null)[] }> {
  const parked: string[] = [];
  const told: (string | null)[] = [];
  const orphan: Orphan = { runId: 'run-1', environment: 'staging', attempt: 2, silent: 0, work: 'taken', ...over };
  const records = {
    orphans: async () => [orphan],
    parkOrphan: async (_: Orphan, failure: { message: string; advice: string }) => {
      parked.push(`${failure.message} ${failure.advice}`);
      return true;
    },
    event: async (_runId: string, type: string, text: string | null, once: string | null) =>
      void told.push(`${type} ${once} ${text}`),
  };
  const system = createMemorySystem({ name: 'cluster', seal: createSeal(Buffer.alloc(32)) });
  system.setStanding(standing.map((what) => ({ what, closes: true })));
  const environments = new Map([['staging', { name: 'staging', systems: new Map([['cluster', system]]) }]]);
  await watchRuns({ records, logger, environments });
  return { parked, told };
}

describe('a run that nobody is known to carry out', () => {
  it('is parked at once when its worker gave up, and says who holds what', async () => {
    const { parked, told } = await watch({ work: 'dead' });
    expect(parked).toEqual([expect.stringMatching(/gave up.*holds staging.*Retry/)]);
    expect(told).toEqual([]);
  });

  it('is told of, once an attempt, while its worker may come back', async () => {
    expect(await watch({ silent: 59 })).toEqual({ parked: [], told: [] });
    const { parked, told } = await watch({ silent: 120 });
    expect(parked).toEqual([]);
    expect(told).toEqual([expect.stringMatching(/^lost lost:2 No worker .* 2 min\. It holds staging/)]);
  });

  it('is told of with what it left standing, so that somebody knows that services are down', async () => {
    const { told } = await watch({ silent: 120 }, ['aether-backend is stopped']);
    expect(told).toEqual([expect.stringContaining('Still so: aether-backend is stopped.')]);
  });

  it('is parked when its worker has not come back for long', async () => {
    expect((await watch({ silent: 601 })).parked).toEqual([expect.stringContaining('is gone')]);
  });

  it('is left alone while it waits for a worker', async () => {
    expect(await watch({ work: 'waiting', silent: 0 })).toEqual({ parked: [], told: [] });
  });
});
