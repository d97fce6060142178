import { z } from 'zod';
import type { Environment } from '../../src/plans/environment.ts';
import type { MaintenanceWish } from '../../src/plans/plan.ts';
import { planMaintenance } from '../../src/plans/plan-maintenance.ts';
import { defineStepKind, readingPreview, type System } from '../../src/systems/system.ts';

const wish: MaintenanceWish = {
  window: 'win-1',
  system: 'cluster',
  on: true,
  message: 'Maintenance has begun',
  until: '2026-11-24T03:00:00.000Z',
};
const inputs: unknown[] = [];
const kind = defineStepKind({
  name: 'kubernetes.set-maintenance',
  effect: 'changes',
  input: z.strictObject({ on: z.boolean(), message: z.string().optional(), until: z.string().optional() }),
  describe: () => 'turns maintenance mode on',
  async preview(input) {
    inputs.push(input);
    return { ...readingPreview, count: 1 };
  },
  performBatch: async () => ({ cursor: null, done: 1 }),
});
const cluster = {
  name: 'cluster',
  type: 'kubernetes',
  kinds: [kind],
  identity: async () => 'uid',
} as unknown as System;
const environment = {
  name: 'sandbox',
  systems: new Map([['cluster', cluster]]),
  ownKinds: [],
  shown: new Set(),
  configHash: 'c',
  tolerancePercent: 3,
  holdDays: 14,
} as unknown as Environment;

describe('maintenance mode as a run of its own', () => {
  it('is one changing step, counted for votes, and can be planned again from its plan', async () => {
    const plan = await planMaintenance(environment, wish);
    expect(plan).toMatchObject({
      action: 'maintenance',
      subject: 'on win-1',
      maintenance: wish,
      totals: { changes: 1 },
      stages: [{ steps: [{ system: 'cluster', use: 'kubernetes.set-maintenance', effect: 'changes' }] }],
    });
    expect(inputs.at(-1)).toEqual({ on: true, message: 'Maintenance has begun', until: '2026-11-24T03:00:00.000Z' });
    const again = await planMaintenance(environment, plan.maintenance ?? null);
    expect(again.stages).toEqual(plan.stages);
  });

  it('goes off without words', async () => {
    const plan = await planMaintenance(environment, { ...wish, on: false, message: '', until: null });
    expect([plan.subject, inputs.at(-1)]).toEqual(['off win-1', { on: false }]);
  });

  it('is refused without a window, and where the environment has no such system', async () => {
    await expect(planMaintenance(environment, null)).rejects.toMatchObject({ code: 'wrong-use' });
    await expect(planMaintenance(environment, { ...wish, system: 'other' })).rejects.toMatchObject({
      code: 'invalid-file',
    });
  });
});
