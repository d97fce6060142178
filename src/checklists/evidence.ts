import { sayDuration } from '../shared/duration.ts';
import type { EvidenceName } from './checklist-item.ts';
import type { BackupFact, Evidence, RunFacts } from './run-facts.ts';
import { seeConsistency, seeSteps, seeValidation } from './step-evidence.ts';

/** A proof is worth something for so long: 7 days, in milliseconds. */
const provenFor = 7 * 24 * 3_600_000;

/** What the bot sees of a run. Pure: the same records say the same. `backups` = the environment's, newest first. */
export function see(name: EvidenceName, run: RunFacts, backups: readonly BackupFact[]): Evidence {
  switch (name) {
    case 'backup':
      return seeBackup(run, backups);
    case 'backup-proven':
      return seeProof(run, backups);
    case 'version-recorded':
      return seeFinding(run, ['data-model-version', 'data-model-unknown'], 'data-model-version');
    case 'rehearsed':
      return seeFinding(run, ['rehearsed'], 'rehearsed');
    case 'way-back':
      return seeWayBack(run);
    case 'consistency':
      return seeConsistency(run);
    case 'validation':
      return seeValidation(run);
    default:
      return seeSteps(name, run);
  }
}

/** The set that the run made: signed, and still there. */
function seeBackup(run: RunFacts, backups: readonly BackupFact[]): Evidence {
  const sealing = run.plan.stages.flatMap(({ steps }) => steps).find(({ use }) => use === 'backup.seal-set');
  if (sealing === undefined) return { seen: 'absent' };
  const fact = run.steps.find(({ stepId }) => stepId === sealing.id);
  if (fact?.state !== 'done') {
    const failed = fact?.state === 'failed';
    return {
      seen: false,
      lost: failed,
      text: failed ? 'failed: the set was not signed' : 'the run makes it before it changes anything',
    };
  }
  if (!backups.some(({ id }) => id === run.backupId)) {
    return { seen: false, lost: true, text: `${run.backupId ?? 'the set'} is no longer there` };
  }
  return { seen: true, at: fact.endedAt, text: `${run.backupId}, signed` };
}

function seeProof(run: RunFacts, backups: readonly BackupFact[]): Evidence {
  const proven = backups.find((set) => set.proven !== null);
  if (!proven?.proven) {
    const newest = backups[0];
    const text = newest === undefined ? 'there is no backup yet' : `${newest.id} was not restored and checked yet`;
    return { seen: false, lost: false, text };
  }
  const { id, createdAt } = proven;
  const { at, seconds } = proven.proven;
  if (Date.parse(run.requestedAt) - Date.parse(createdAt) > provenFor) {
    return {
      seen: false,
      lost: false,
      text: `the last one that was proven, ${id}, is more than 7 days older than the request`,
    };
  }
  return { seen: true, at, text: `${id}, restored in ${sayDuration(Math.max(1, seconds) * 1000)}` };
}

/** What the plan found before anything changed. */
function seeFinding(run: RunFacts, checks: readonly string[], wanted: string): Evidence {
  const found = run.plan.findings.filter(({ check }) => checks.includes(check));
  const good = found.find(({ check, status }) => check === wanted && status === 'passed');
  if (good !== undefined) return { seen: true, at: run.requestedAt, text: good.title };
  const other = found[0];
  return other === undefined ? { seen: 'absent' } : { seen: false, lost: false, text: other.title };
}

function seeWayBack({ plan, requestedAt }: RunFacts): Evidence {
  if (plan.undoClass === 'reversible') return { seen: true, at: requestedAt, text: 'every step can be undone' };
  if (plan.undoClass === 'reversible-until') {
    const days = plan.holdDays === undefined ? 'a limited time' : `${plan.holdDays} days`;
    return { seen: true, at: requestedAt, text: `every step can be undone, for ${days}` };
  }
  const backsUp = plan.stages.some(({ steps }) => steps.some(({ use }) => use === 'backup.seal-set'));
  if (backsUp)
    return { seen: true, at: requestedAt, text: 'some steps cannot be undone: by restoring the backup that it makes' };
  return { seen: false, lost: false, text: 'some steps cannot be undone, and the run makes no backup' };
}
