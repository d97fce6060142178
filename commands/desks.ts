import type { ChecklistDesk } from '../src/checklists/desk.ts';
import type { MaintenanceDesk } from '../src/maintenance/maintenance-desk.ts';
import type { OnCallDesk } from '../src/oncall/on-call-desk.ts';
import type { OutlookDesk } from '../src/runs/outlook.ts';
import type { RunbookDesk } from '../src/runs/runbook.ts';
import type { ScheduleDesk } from '../src/schedules/schedule-desk.ts';

/** What commands ask beside the door, each with gates of its own. The composition root fills it in. */
export interface Desks {
  readonly checklists: ChecklistDesk;
  readonly maintenance: MaintenanceDesk;
  readonly oncall: OnCallDesk;
  readonly schedules: ScheduleDesk;
  readonly runbooks: RunbookDesk;
  readonly outlooks: OutlookDesk;
}
