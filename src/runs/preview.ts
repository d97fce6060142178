import { votesNeeded } from '../approvals/policy.ts';
import { effectOf } from '../plans/build-plan.ts';
import { isFailed, newBackupId } from '../plans/plan-actions.ts';
import type { Door, Preview, Refusal } from './door.ts';
import { mayRead } from './gates.ts';
import { withLastProof } from './last-proof.ts';
import { findEnvironment, refusalOf, type SubmitDeps } from './submit.ts';

/** What a migration would do, whether or not it would be accepted. Reads only: no run, no row, no journal. */
export async function preview(deps: SubmitDeps, request: Parameters<Door['plan']>[0]): Promise<Preview | Refusal> {
  const right = mayRead(request.person);
  if (!right.pass) return refusalOf(right);
  const environment = findEnvironment(deps.environments, request.environment);
  const made = await deps.makePlan(environment, { action: 'migrate', ...request }, newBackupId(deps.clock));
  const plan = await withLastProof(made, deps.listBackups);
  return {
    plan,
    votesNeeded: votesNeeded({ effect: effectOf(plan), undoClass: plan.undoClass }, environment),
    refused: plan.findings.some(isFailed),
  };
}
