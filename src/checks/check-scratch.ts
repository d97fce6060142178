import type { Finding } from '../systems/finding.ts';
import type { System } from '../systems/system.ts';
import type { Check, StatementCheck } from './check.ts';
import { runCheck } from './run-check.ts';

/** The standing checks of one system over a copy of it. What compares systems needs copies of them all, and is left out. */
export async function checkScratch(
  checks: ReadonlyMap<string, Check>,
  system: string,
  scratch: Pick<System, 'violations'>,
): Promise<readonly Finding[]> {
  const own = [...checks.values()].filter(
    (check): check is StatementCheck => 'violations' in check && check.standing && check.system === system,
  );
  if (scratch.violations === undefined) return [];
  const findings: Finding[] = [];
  for (const check of own) findings.push(await runCheck(check, new Map([[system, scratch]])));
  return findings;
}
