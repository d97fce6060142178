import { jest } from '@jest/globals';
import { startHousekeeping } from '../../src/schedules/housekeeping.ts';
import { createLogger } from '../../src/shared/logger.ts';

const logger = createLogger('silent');
const nothingLost = {
  orphans: async () => [],
  parkOrphan: async () => false,
  event: async () => undefined,
  brokenGlassDue: async () => [],
  find: async () => null,
  countVotes: async () => 'over' as const,
};

beforeEach(() => {
  jest.useFakeTimers({ now: new Date('2026-11-20T10:00:01.000Z') });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('housekeeping', () => {
  it('closes what is overdue every quarter of a minute, by the clock that it was given, until it is stopped', async () => {
    const asked: Date[] = [];
    const clock = { now: () => new Date('2030-01-01T00:00:00.000Z') };
    const expireOverdue = async (now: Date): Promise<number> => asked.push(now);
    const housekeeping = startHousekeeping({
      undoOverdue: async () => undefined,
      records: { ...nothingLost, expireOverdue },
      environments: new Map(),
      clock,
      logger,
    });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(4);
    expect(asked[0]).toEqual(clock.now());
    await housekeeping.stop();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(4);
  });

  it('goes on after a failure, and waits for a call that takes long', async () => {
    let calls = 0;
    const records = {
      ...nothingLost,
      async expireOverdue(): Promise<number> {
        calls += 1;
        if (calls === 1) throw new Error('the database is away');
        await new Promise((resolve) => setTimeout(resolve, 40_000));
        return 0;
      },
    };
    const housekeeping = startHousekeeping({
      undoOverdue: async () => undefined,
      environments: new Map(),
      records,
      clock: { now: () => new Date() },
      logger,
    });
    await jest.advanceTimersByTimeAsync(60_000);
    expect(calls).toBe(2);
    await housekeeping.stop();
  });
});
