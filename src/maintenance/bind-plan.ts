import type { MakePlan } from '../runs/make-plan.ts';
import type { Clock } from '../shared/clock.ts';
import { bindToWindow } from './in-time.ts';
import type { Window, WindowStore } from './window.ts';

/** Plans of migrations that are bound to a window, and of its maintenance mode, start only in it. */
export function bindPlans(makePlan: MakePlan, store: Pick<WindowStore, 'boundTo' | 'find'>, clock: Clock): MakePlan {
  return async (environment, request, backupId, holds) => {
    const plan = await makePlan(environment, request, backupId, holds);
    const window = await windowOf(environment.name, request, store);
    if (window === null) return plan;
    return bindToWindow(plan, { id: window.id, from: window.from, until: window.to }, clock.now());
  };
}

async function windowOf(
  environment: string,
  { action, subject, maintenance }: Parameters<MakePlan>[1],
  store: Pick<WindowStore, 'boundTo' | 'find'>,
): Promise<Window | null> {
  if (action === 'migrate') return store.boundTo(environment, subject);
  return action === 'maintenance' && maintenance?.on === true ? store.find(maintenance.window) : null;
}
