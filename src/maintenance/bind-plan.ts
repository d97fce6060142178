import type { MakePlan } from '../runs/make-plan.ts';
import type { Clock } from '../shared/clock.ts';
import { Failure } from '../shared/failure.ts';
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
  { action, subject, maintenance, window }: Parameters<MakePlan>[1],
  store: Pick<WindowStore, 'boundTo' | 'find'>,
): Promise<Window | null> {
  if (action === 'migrate') {
    if (typeof window === 'string') return chosenWindow(environment, subject, window, store);
    // The one that somebody chose, or that was found when the plan was made first.
    return window ? store.find(window.id) : store.boundTo(environment, subject);
  }
  return action === 'maintenance' && maintenance?.on === true ? store.find(maintenance.window) : null;
}

/** Throws `wrong-use` for a window in which the migration cannot start. */
async function chosenWindow(
  environment: string,
  migration: string,
  id: string,
  store: Pick<WindowStore, 'find'>,
): Promise<Window> {
  const window = await store.find(id);
  if (window === null || window.environment !== environment) {
    throw wrongWindow(`${environment} has no maintenance window ${id.slice(0, 40)}.`, environment);
  }
  if (window.state !== 'scheduled' && window.state !== 'active') {
    throw wrongWindow(`The maintenance window ${id} is ${window.state}.`, environment);
  }
  if (window.migration !== null && window.migration !== migration) {
    throw wrongWindow(`The maintenance window ${id} is kept for ${window.migration}.`, environment);
  }
  return window;
}

function wrongWindow(message: string, environment: string): Failure {
  const advice = `\`/tas maintenance list env:${environment}\` shows those that there are. Nothing was changed.`;
  return new Failure({ code: 'wrong-use', message, advice });
}
