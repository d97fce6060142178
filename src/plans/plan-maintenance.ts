import { Failure } from '../shared/failure.ts';
import { assemblePlan } from './build-plan.ts';
import type { Environment } from './environment.ts';
import type { MaintenanceWish, Plan } from './plan.ts';
import { planStages } from './plan-actions.ts';

/** The step kind that turns maintenance mode on and off. */
export const maintenanceKind = 'kubernetes.set-maintenance';

/** Turns an environment's maintenance mode on or off, as a run of its own. */
export async function planMaintenance(environment: Environment, wish: MaintenanceWish | null): Promise<Plan> {
  if (wish === null) {
    throw new Failure({
      code: 'wrong-use',
      message: 'Maintenance mode is turned on and off by a window.',
      advice: 'Write `/tas maintenance start` or `/tas maintenance end`. Nothing was changed.',
    });
  }
  const { on, message, until, system, window } = wish;
  const title = `Turn maintenance mode ${on ? 'on' : 'off'}`;
  const input = on ? { on, message, ...(until === null ? {} : { until }) } : { on };
  const step = { id: 'set', title, system, use: maintenanceKind, input };
  const stages = await planStages(environment, [{ id: 'maintenance', title, steps: [step] }]);
  return assemblePlan(
    environment,
    {
      action: 'maintenance',
      subject: `${on ? 'on' : 'off'} ${window}`,
      title,
      contentHash: '',
      references: [],
      coupled: [],
      findings: [],
      maintenance: wish,
    },
    stages,
  );
}
