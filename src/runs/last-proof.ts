import type { Plan } from '../plans/plan.ts';
import type { BackupView } from './door.ts';

/** The newest backup set that was proven: what people who vote want to know of the way back that remains when undo does not work. */
export async function withLastProof(
  plan: Plan,
  listBackups: (environment: string) => Promise<readonly BackupView[]>,
): Promise<Plan> {
  if (plan.action !== 'migrate' && plan.action !== 'rollback') return plan;
  for (const { id, createdAt, proven } of await listBackups(plan.environment)) {
    if (proven !== null) return { ...plan, lastProven: { set: id, createdAt, provenAt: proven.at } };
  }
  return { ...plan, lastProven: null };
}
