import type { Plan, PlanStep } from './plan.ts';

/**
 * What has changed between the plan that was signed and the same plan made again. Empty = it may start. Live data
 * moves, so counts of steps that add or change may differ by the tolerance; steps that destroy are bound to the very
 * keys; content, schemas, servers, configuration, the canary and which steps have a vote of their own must be equal. A count
 * that is a lower bound ("≥ N") was not signed as a number and is not compared. Steps that read, and steps that have a vote of
 * their own on what they would do then, are not compared.
 */
export function comparePlans(signed: Plan, now: Plan, tolerancePercent: number): readonly string[] {
  const changes: string[] = [];
  if (signed.engine !== now.engine) changes.push(`the bot's engine was ${signed.engine}, now it is ${now.engine}`);
  if (signed.contentHash !== now.contentHash) changes.push('the migration file was edited');
  if (signed.configHash !== now.configHash) changes.push("the environment's configuration was edited");
  if (signed.canary !== now.canary) {
    changes.push(`it was narrowed to ${signed.canary ?? 'nothing'}, now to ${now.canary ?? 'nothing'}`);
  }
  for (const [system, identity] of Object.entries(signed.identities)) {
    if (now.identities[system] !== identity) changes.push(`${system} is another server`);
  }
  for (const finding of now.findings) {
    if (finding.status === 'failed') changes.push(`${finding.title}: ${finding.count ?? 'some'} now fail`);
  }
  const before = changingSteps(signed);
  const after = new Map(changingSteps(now).map((step) => [step.id, step]));
  if (before.length !== after.size) changes.push(`it had ${before.length} changing steps, now it has ${after.size}`);
  for (const step of before) {
    const other = after.get(step.id);
    if (other && step.ownApproval && other.ownApproval) continue;
    changes.push(...(other ? compareSteps(step, other, tolerancePercent) : [`the step “${step.title}” is gone`]));
  }
  return changes;
}

/**
 * The hard cap of a step while it runs: the signed count plus the tolerance: at least one more for small counts, unless none
 * is allowed. Null where there is none: for an undo, and where people signed a lower bound.
 */
export function capOf(step: PlanStep, tolerancePercent: number): number | null {
  if (step.mode === 'undo' || step.effect === 'reads' || !step.exact) return null;
  return step.count + allowance(step, tolerancePercent);
}

function allowance(step: PlanStep, tolerancePercent: number): number {
  if (step.effect === 'destroys' || tolerancePercent === 0) return 0;
  return Math.max(1, Math.floor((step.count * tolerancePercent) / 100));
}

/** What has changed between a step that was signed and the same step looked at again. */
export function compareSteps(before: PlanStep, after: PlanStep, tolerancePercent: number): string[] {
  if (before.schemaHash !== after.schemaHash) return [`the schema under “${before.title}” has changed`];
  if (before.ownApproval !== after.ownApproval) {
    return [`“${before.title}” ${after.ownApproval ? 'now has' : 'no longer has'} a vote of its own`];
  }
  if (before.effect !== after.effect) return [`“${before.title}” ${before.effect} no longer: it ${after.effect} now`];
  if (before.effect === 'destroys' && before.keysHash !== after.keysHash) {
    return [`“${before.title}” would now destroy other records (${before.count} signed, ${after.count} now)`];
  }
  if (!before.exact) return [];
  // A lower bound can only say that it is too many.
  const moved = after.exact ? Math.abs(after.count - before.count) : after.count - before.count;
  if (before.mode !== 'undo' && moved > allowance(before, tolerancePercent)) {
    return [`“${before.title}” was signed for ${before.count} records, now it would be ${after.count}`];
  }
  return [];
}

function changingSteps(plan: Plan): PlanStep[] {
  return plan.stages.flatMap((stage) => stage.steps).filter((step) => step.effect !== 'reads');
}
