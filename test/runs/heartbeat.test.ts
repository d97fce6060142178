import { mark, readMarks, unmark } from '../../src/runs/heartbeat.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { createSeal } from '../../src/shared/sealed.ts';
import type { Holder, HolderMark } from '../../src/systems/holder-mark.ts';
import { createMemorySystem } from '../../src/systems/memory/memory-system.ts';
import type { System } from '../../src/systems/system.ts';
import { samplePlan } from '../sample-run.ts';

const logger = createLogger('silent');
const run = (id: string, undoes?: string) => ({
  id,
  plan: undoes === undefined ? samplePlan() : { ...samplePlan(), action: 'rollback' as const, subject: undoes },
});

/** An environment whose cluster keeps one mark. */
function cluster(away = false) {
  let held: Holder | null = null;
  const holder: HolderMark = {
    async hold({ environment, runId, seconds, note = '' }) {
      if (away) throw new Error('no answer');
      if (held !== null && held.runId !== runId && !held.expired) return false;
      const at = new Date('2026-11-22T10:00:00Z');
      held = { environment, runId, seconds, note, acquiredAt: at, renewedAt: at, expired: false };
      return true;
    },
    async release(_environment, runId) {
      if (held?.runId !== runId) return false;
      held = null;
      return true;
    },
    read: async () => held,
  };
  const memory = createMemorySystem({ name: 'cluster', seal: createSeal(Buffer.alloc(32)) });
  memory.setStanding([{ what: 'aether-backend is stopped', closes: true }]);
  const system: System = { ...memory, holder };
  const expire = (): void => {
    if (held !== null) held = { ...held, expired: true };
  };
  return { environment: { name: 'staging', systems: new Map([['cluster', system]]) }, holder, expire };
}

describe('who holds an environment, as its systems say', () => {
  it('is marked with what the run has set up, and taken away with its end', async () => {
    const { environment, holder } = cluster();
    await mark(environment, run('run-1'), logger);
    expect(await holder.read('staging')).toMatchObject({
      runId: 'run-1',
      note: 'aether-backend is stopped',
      seconds: 60,
    });
    await unmark(environment, run('run-1'), logger);
    expect(await holder.read('staging')).toBeNull();
  });

  it('is taken away by the undo of the run that left it', async () => {
    const { environment, holder } = cluster();
    await mark(environment, run('run-1'), logger);
    await unmark(environment, run('run-2', 'run-1'), logger);
    expect(await holder.read('staging')).toBeNull();
  });

  it('stops no run when the system is away', async () => {
    const { environment } = cluster(true);
    await mark(environment, run('run-1'), logger);
    await unmark(environment, run('run-1'), logger);
  });

  it('is told where it is not as the bot knows it', async () => {
    const { environment, expire } = cluster();
    await mark(environment, run('run-1'), logger);
    const told = 'cluster: run-1 is marked as holding staging, last renewed 2026-11-22T10:00:00Z';
    expect(await readMarks(environment, { runId: 'run-1', status: 'running' })).toEqual([]);
    expect(await readMarks(environment, { runId: 'run-7', status: 'running' })).toEqual([told]);
    expect(await readMarks(environment, null)).toEqual([told]);
    expire();
    expect(await readMarks(environment, { runId: 'run-1', status: 'running' })).toEqual([`${told}, expired`]);
    // Who stands still does not renew it.
    expect(await readMarks(environment, { runId: 'run-1', status: 'parked' })).toEqual([]);
  });
});
