import { split } from '../../blocks/fit.ts';
import type { Message } from '../../blocks/message.ts';
import { scheduledReport } from '../../blocks/scheduled-report.ts';
import { scheduleMessage, schedulesMessage } from '../../blocks/schedules.ts';
import { blockErrors } from '../../sandbox/slack/limits/blocks.ts';
import type { OpenFinding } from '../../src/notices/notice.ts';
import type { ScheduleView } from '../../src/schedules/schedule-desk.ts';
import { hostile } from './hostile-run.ts';

const view: ScheduleView = {
  id: hostile,
  environment: hostile,
  action: 'validate',
  cron: hostile,
  zone: hostile,
  quiet: true,
  paused: false,
  pausedBy: { id: hostile, name: hostile },
  editor: { id: hostile, name: hostile },
  editors: [hostile],
  configured: hostile,
  nextAt: hostile,
  last: { dueAt: hostile, outcome: 'asked', runId: hostile },
  next: [hostile, hostile, hostile],
};
const findings = Array.from(
  { length: 300 },
  (_, index): OpenFinding => ({
    key: `${index}`,
    title: hostile,
    status: 'failed',
    count: 1e12,
    since: hostile,
    detail: hostile,
  }),
);
const report = scheduledReport({
  kind: 'validation-report',
  schedule: hostile,
  environment: hostile,
  runId: hostile,
  at: hostile,
  totals: { passed: 1e9, warning: 1e9, failed: 1e9, skipped: 1e9 },
  fresh: findings,
  still: findings,
  fixed: findings,
  fixedLater: Object.fromEntries(findings.map(({ key }) => [key, hostile])),
});
const list = schedulesMessage(Array.from({ length: 200 }, () => view));

describe('what is told of schedules, with hostile data', () => {
  const shown: readonly (readonly [string, Message])[] = [
    ['a report', report],
    ['a schedule', scheduleMessage(view, 'add')],
    ...split(list).map((page, index) => [`page ${index + 1} of the list`, page] as const),
  ];
  it.each(shown)('%s stays within Slack’s limits', (_, message) => {
    expect(blockErrors(message.blocks, 50)).toEqual([]);
    expect(message.text.length).toBeGreaterThan(0);
    expect(message.text.length).toBeLessThanOrEqual(4000);
  });
});
