import { boxGroups, type ChecklistTools } from '../../blocks/checklist.ts';
import type { ChecklistView, ItemView } from '../../src/checklists/checklist-view.ts';
import type { Window } from '../../src/maintenance/window.ts';
import type { ValidationReport } from '../../src/notices/notice.ts';
import type { OnCallView } from '../../src/oncall/on-call-desk.ts';
import type { BackupView, EnvironmentStatus, SystemView } from '../../src/runs/door.ts';
import type { ConflictReport } from '../../src/runs/run.ts';
import type { ScheduleView } from '../../src/schedules/schedule-desk.ts';
import { item } from '../checklists/sample-checklist.ts';
import { sampleRun } from '../sample-run.ts';

/** What desks and the door answer on an ordinary day, for tests of what people see. */
const at = '2026-11-20T09:58:00.000Z';
const bob = { id: 'UBOB', name: 'bob' };

const sampleBackup: BackupView = {
  id: 'bak-20261120-095500-4f2a',
  environment: 'sandbox',
  createdAt: at,
  bytes: 74_000_000,
  systems: ['graph', 'records'],
  proven: { at, seconds: 41, systems: { graph: 'read', records: 'restored' } },
};

function system(name: string, type: string, version: string | null, over: Partial<SystemView> = {}): SystemView {
  return {
    name,
    type,
    health: { up: true, version: '5.26', latencyMs: 4 },
    lastUpAt: at,
    dataModel: version === null ? null : { version, runId: 'run-01jd0a4ycz', at },
    ...over,
  };
}

export const sampleStatus: EnvironmentStatus = {
  environment: 'sandbox',
  production: false,
  systems: [system('graph', 'neo4j', '2.0'), system('records', 'postgres', '2.0'), system('objects', 'minio', null)],
  holder: null,
  lastBackup: sampleBackup,
  openRuns: [sampleRun()],
};

/** A system is down, the others are apart, and a run that stopped left services down. */
export const troubledStatus: EnvironmentStatus = {
  ...sampleStatus,
  systems: [
    system('graph', 'neo4j', '2.0'),
    system('records', 'postgres', '1.0'),
    system('objects', 'minio', null, {
      health: { up: false, version: null, latencyMs: 0, note: 'connection refused' },
    }),
  ],
  holder: { runId: 'run-01jd0a4ycz', status: 'parked', since: at },
  lastBackup: null,
  standing: ['aether-be/aether-backend is stopped (2 replicas are remembered)'],
  endedHolds: [{ runId: 'run-01jd0a3aaa', title: 'A tenant and a space for each user', since: at }],
};

const nobody = { by: null, at: null, note: '', lost: false, passed: false };
const seen = (id: string, text: string, note: string): ItemView => ({
  ...item({ id, text, who: null }),
  ...nobody,
  evidence: 'backup',
  state: 'ticked',
  at,
  note,
});
const asked = (id: string, text: string, over: Partial<ItemView> = {}): ItemView => ({
  ...item({ id, text }),
  ...nobody,
  state: 'open',
  ...over,
});

/** The first part is over, the run waits at the second, and of the third nothing is known yet. */
export const sampleChecklist: ChecklistView = {
  runId: 'run-01jd0a4ycz',
  environment: 'sandbox',
  title: 'A tenant and a space for each user',
  status: 'paused',
  revision: 3,
  waitsAt: 'services-up',
  items: [
    seen('backup-made', 'Every store is backed up', 'bak-20261120-095500-4f2a, signed'),
    asked('users-told', 'Users know when it begins', { state: 'ticked', by: bob, at, gates: 'start', passed: true }),
    { ...seen('services-stopped', 'Services are stopped', '2 services'), part: 'during' },
    { ...seen('images', 'Services have their new version', ''), part: 'during', state: 'absent', at: null },
    asked('looked-at', 'Somebody has looked at the copies', { part: 'during', gates: 'services-up' }),
    asked('reviewed', 'A second pair of eyes', { part: 'during', state: 'ticked', by: bob, at, who: 'approver' }),
    asked('told-again', 'Users know that it is over', { part: 'after', lost: true, by: bob, at }),
    {
      ...asked('healthy', 'Every service is healthy', { part: 'after', evidence: 'health', who: null }),
      note: 'not yet',
    },
  ],
};

export function checklistTools(all: boolean): ChecklistTools {
  return {
    boxes: boxGroups(sampleChecklist, all).map((_, index) => `boxes-${index}`),
    buttons: { checklist: 'c' },
    link: 'https://example.slack.com/p1',
  };
}

export const sampleWindow: Window = {
  id: 'mw-20261124-4f2a',
  environment: 'production',
  from: '2026-11-24T01:00:00.000Z',
  to: '2026-11-24T03:00:00.000Z',
  zone: 'Europe/Berlin',
  reason: 'A space for each user',
  migration: 'space-isolation',
  state: 'scheduled',
  createdBy: bob,
  createdAt: at,
  startedAt: null,
  endedAt: null,
  remark: null,
};

export const sampleSchedule: ScheduleView = {
  id: 'sch-00000001',
  environment: 'sandbox',
  action: 'validate',
  cron: '0 3 * * *',
  zone: 'Europe/Berlin',
  quiet: true,
  paused: false,
  pausedBy: null,
  editor: bob,
  editors: ['UBOB'],
  configured: null,
  nextAt: at,
  last: null,
  next: ['21 Nov 03:00', '22 Nov 03:00', '23 Nov 03:00'],
};

export const sampleOnCall: OnCallView = {
  environment: 'production',
  duties: {
    now: [{ person: 'Dana Dvořák', level: 1, policy: 'Platform', schedule: 'Weekdays', from: null, until: at }],
    next: [{ person: 'Erin Ekström', level: 1, policy: 'Platform', schedule: 'Weekend', from: at, until: null }],
  },
  note: null,
  contacts: [
    { name: 'Dora', role: 'database admin', user: 'UDORA', phone: '+49 30 000000' },
    { name: 'The platform team', role: 'Kubernetes' },
  ],
  pages: [
    {
      severity: 'critical',
      summary: 'run-01jd0a4ycz in production has stopped',
      raisedAt: at,
      runId: 'run-01jd0a4ycz',
      state: 'triggered',
    },
  ],
};

/** One finding is new, one was fixed since, one stays, and one was fixed after it was told. */
export const sampleReport: ValidationReport = {
  kind: 'validation-report',
  schedule: 'sch-00000001',
  environment: 'production',
  runId: 'run-01jd0a4ycz',
  at,
  totals: { passed: 21, warning: 1, failed: 2, skipped: 3 },
  fresh: [
    { key: 'unique-tenants', title: 'No two users share a tenant', status: 'failed', count: 12, since: 'run-1' },
    { key: 'files-match', title: 'Files carry their space', status: 'failed', count: 3, since: 'run-1' },
  ],
  still: [{ key: 'orphans', title: 'No vector without a chunk', status: 'warning', count: 40, since: 'run-0' }],
  fixed: [{ key: 'spaces-exist', title: 'Every space exists', status: 'failed', count: 5, since: 'run-0' }],
  fixedLater: { 'files-match': '2026-11-20T10:58:00.000Z' },
};

/** An undo that left two values as somebody made them since. */
export const sampleConflicts: ConflictReport = {
  total: 3,
  conflicts: [
    {
      system: 'graph',
      stepId: 'data.fill-users',
      collection: 'Notebook',
      key: 'nb-1',
      field: 'title',
      reason: 'changed-since',
      base: 'Plan',
      ours: 'Plan (space 1)',
      theirs: 'Plan B',
    },
    {
      system: 'records',
      stepId: 'records.add-space-id',
      collection: 'audimodal_files',
      key: '17',
      field: 'space_id',
      reason: 'missing',
      base: null,
      ours: 'space_1',
      theirs: null,
    },
  ],
};
