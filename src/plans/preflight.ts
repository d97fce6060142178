import { sayBytes } from '../shared/bytes-text.ts';
import type { Finding } from '../systems/finding.ts';
import { type BackupRoom, type Environment, findSystem } from './environment.ts';
import type { PlanStage } from './plan.ts';

/** Asks every system that a plan has steps for whether it can carry them out, before anything changes. */
export async function preflightSystems(environment: Environment, stages: readonly PlanStage[]): Promise<Finding[]> {
  const needs = new Map<string, { uses: Set<string>; bytes: number }>();
  for (const step of stages.flatMap((stage) => stage.steps)) {
    if (step.system === null) continue;
    const need = needs.get(step.system) ?? { uses: new Set(), bytes: 0 };
    need.uses.add(step.use);
    need.bytes += step.bytes;
    needs.set(step.system, need);
  }
  const findings: Finding[] = [];
  for (const [name, { uses, bytes }] of needs) {
    const found = (await findSystem(environment, name).preflight?.({ uses: [...uses], bytes })) ?? [];
    // Two systems of one type find the same things; each is named by its own.
    findings.push(...found.map((finding) => ({ ...finding, check: `${name}-${finding.check}` })));
  }
  return findings;
}

/** Whether the backup that goes first fits: twice the last set must be free, as for everything the bot writes. */
export function judgeBackupRoom({ free, lastSet }: BackupRoom): Finding {
  const check = 'backup-room';
  if (lastSet === null) {
    const advice = `there is no set yet to go by; ${sayBytes(free)} are free`;
    return { check, title: 'Room for the backup', status: 'skipped', count: null, samples: [], advice };
  }
  if (free >= 2 * lastSet) return { check, title: 'Room for the backup', status: 'passed', count: 0, samples: [] };
  return {
    check,
    title: `No room for the backup: ${sayBytes(free)} are free, and the last set took ${sayBytes(lastSet)}`,
    status: 'failed',
    count: null,
    samples: [],
    advice: `Free space in the backups folder: twice the last set must be there (${sayBytes(2 * lastSet)}).`,
  };
}
