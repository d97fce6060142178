import { approve, reject } from './approve.ts';
import { backup } from './backup.ts';
import { breakGlass } from './break-glass.ts';
import { checklist } from './checklist.ts';
import type { Command } from './command.ts';
import { controls } from './control.ts';
import { createHelp } from './help.ts';
import { keep } from './keep.ts';
import { maintenance } from './maintenance.ts';
import { migrate } from './migrate.ts';
import { oncall } from './oncall.ts';
import { plan } from './plan.ts';
import { release } from './release.ts';
import { restore } from './restore.ts';
import { retry } from './retry.ts';
import { rollback } from './rollback.ts';
import { runbook } from './runbook.ts';
import { runs } from './runs.ts';
import { schedule } from './schedule.ts';
import { status } from './status.ts';
import { validate } from './validate.ts';

const asked: readonly Command[] = [
  status,
  validate,
  backup,
  plan,
  migrate,
  approve,
  reject,
  breakGlass,
  rollback,
  restore,
  release,
  runs,
  runbook,
  checklist,
  ...controls,
  retry,
  keep,
  maintenance,
  schedule,
  oncall,
];

/** Everything that a person may ask, in the order in which help shows it. */
export const commands: readonly Command[] = [createHelp(asked), ...asked];
