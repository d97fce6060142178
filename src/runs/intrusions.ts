import type { Plan, PlanStep } from '../plans/plan.ts';
import type { Standing, System } from '../systems/system.ts';
import type { Execution } from './execution.ts';

/** The run, and the one that it undoes: what that one has set up stands for this one too. */
export function standingFor({ id, plan }: { readonly id: string; readonly plan: Plan }): readonly string[] {
  return plan.action === 'rollback' ? [id, plan.subject] : [id];
}

/** What these runs have set up in the systems and not taken back, in words; systems that do not answer say so. */
export async function readStanding(
  systems: ReadonlyMap<string, System>,
  runIds: readonly string[],
): Promise<readonly string[]> {
  const found = await Promise.all([...systems.values()].map((system) => askStanding(system, runIds)));
  return found.flat().map(({ what }) => what);
}

async function askStanding(system: System, runIds: readonly string[]): Promise<readonly Standing[]> {
  if (!system.standing) return [];
  return system
    .standing(runIds)
    .catch(() => [{ what: `${system.name} does not say what stands in it`, closes: false }]);
}

interface Known {
  readonly at: number;
  readonly stepId: string;
  readonly found: Promise<string | null>;
}

const known = new WeakMap<Execution, Known>();

/**
 * What goes against what the run has set up, in words; null = nothing does. Only asked while something closes the stores to
 * others, and not for steps of the system that closes them: they are what stops and starts. A system that does not answer
 * cannot say that nobody else writes.
 */
export async function readIntrusions(execution: Execution, step: PlanStep, every: number): Promise<string | null> {
  const now = execution.deps.clock.now().getTime();
  const last = known.get(execution);
  if (last !== undefined && last.stepId === step.id && now - last.at < every) return last.found;
  const found = findIntrusions(execution, step);
  known.set(execution, { at: now, stepId: step.id, found });
  return found;
}

/** Whether something of these runs still keeps others out of the stores. */
export async function closesStores(systems: ReadonlyMap<string, System>, runIds: readonly string[]): Promise<boolean> {
  const closing = await Promise.all([...systems.values()].map((system) => closes(system, runIds)));
  return closing.includes(true);
}

async function findIntrusions({ environment, run }: Execution, step: PlanStep): Promise<string | null> {
  if (comesUp(step)) return null;
  const runIds = standingFor(run);
  const systems = [...environment.systems.values()];
  const closing = await Promise.all(systems.map((system) => closes(system, runIds)));
  if (!closing.includes(true)) return null;
  if (systems.some((system, index) => closing[index] && system.name === step.system)) return null;
  const found = await Promise.all(systems.map((system) => intrusionsOf(system, runIds)));
  const all = found.flat();
  return all.length === 0 ? null : all.slice(0, 3).join('; ');
}

/** In the section `after` services come up one after the other, and in its undo they go down: they are no intruders. */
function comesUp({ id }: PlanStep): boolean {
  return /^after\.|^undo\.after-/.test(id);
}

async function closes(system: System, runIds: readonly string[]): Promise<boolean> {
  return (await askStanding(system, runIds)).some((standing) => standing.closes);
}

async function intrusionsOf(system: System, runIds: readonly string[]): Promise<readonly string[]> {
  if (!system.intrusions) return [];
  return system.intrusions(runIds).catch(() => [`${system.name} does not say whether somebody else writes`]);
}
