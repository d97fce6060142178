import fc from 'fast-check';
import { limits } from '../../blocks/message.ts';
import { scheduledReport } from '../../blocks/scheduled-report.ts';
import type { NewNotice, OpenFinding, ValidationReport } from '../../src/notices/notice.ts';
import type { Action } from '../../src/plans/plan.ts';
import { compareFindings } from '../../src/reports/compare-findings.ts';
import type { ReportStore } from '../../src/reports/report-store.ts';
import { reportValidation } from '../../src/reports/report-validation.ts';
import type { Finding } from '../../src/systems/finding.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';

function memoryReports(): ReportStore {
  const reports = new Map<string, { report: ValidationReport; told: boolean }>();
  const of = (schedule: string) =>
    [...reports.values()]
      .filter(({ report }) => report.schedule === schedule)
      .sort((a, b) => (a.report.at < b.report.at ? -1 : 1));
  return {
    async add(report, told) {
      if (reports.has(report.runId)) return false;
      reports.set(report.runId, { report, told });
      return true;
    },
    find: async (runId) => reports.get(runId)?.report ?? null,
    lastBefore: async (schedule, at) => of(schedule).findLast(({ report }) => report.at < at)?.report ?? null,
    lastTold: async (schedule) => of(schedule).findLast(({ told }) => told)?.report.at ?? null,
    history: async (schedule, until, limit) =>
      of(schedule)
        .map(({ report }) => report)
        .filter(({ at }) => at <= until)
        .slice(-limit),
    async markFixed(runId, keys, at) {
      const known = reports.get(runId);
      if (!known) return null;
      const marks = Object.fromEntries(keys.map((key) => [key, known.report.fixedLater[key] ?? at]));
      known.report = { ...known.report, fixedLater: { ...known.report.fixedLater, ...marks } };
      return known.report;
    },
  };
}

const finding = (check: string, status: Finding['status'], count = status === 'passed' ? 0 : 3): Finding => ({
  check,
  title: `Rule ${check}`,
  status,
  count,
  samples: ['a secret value'],
});

let store: ReportStore;
let notices: NewNotice[];
/** How many reports each picture showed. */
let charts: number[];
beforeEach(() => {
  store = memoryReports();
  notices = [];
  charts = [];
});

function report(
  runId: string,
  day: number,
  findings: readonly Finding[],
  quiet = false,
  action: Action = 'validate',
): Promise<void> {
  const run = sampleRun({
    plan: samplePlan({ action }),
    id: runId,
    status: 'done',
    findings,
    endedAt: `2026-11-${String(day).padStart(2, '0')}T03:01:00.000Z`,
  });
  const deps = {
    store,
    notices: { add: async (added: readonly NewNotice[]) => void notices.push(...added) },
    drawTrend: async (history: readonly ValidationReport[]) => {
      charts.push(history.length);
      return null;
    },
  };
  return reportValidation(deps, { id: 'sch-1', quiet, channel: 'tas-platform' }, run);
}
const textOf = ({ content }: NewNotice): string => JSON.stringify(scheduledReport(content as ValidationReport));

describe('the report of a scheduled validation', () => {
  it('says what is new, what stays and what is fixed, and holds no values', async () => {
    await report('run-1', 1, [finding('a', 'failed'), finding('b', 'warning'), finding('c', 'passed')]);
    await report('run-2', 2, [finding('a', 'failed'), finding('b', 'passed'), finding('c', 'failed')]);
    const [first, second] = notices.filter(({ anew }) => anew);
    expect(first?.content).toMatchObject({ totals: { passed: 1, warning: 1, failed: 1 }, still: [], fixed: [] });
    expect(second?.content).toMatchObject({
      fresh: [{ key: 'c', since: 'run-2' }],
      still: [{ key: 'a', since: 'run-1' }],
      fixed: [{ key: 'b', since: 'run-1' }],
    });
    expect(scheduledReport(second?.content as ValidationReport).text).toMatch(
      /^✗ .*2 of 3 checks failed \(1 new, 1 fixed, 1 as before\)$/,
    );
    expect(notices.map(textOf).join()).not.toContain('a secret value');
    // The first report, the second, and the first again, edited.
    expect(charts).toEqual([1, 2, 1]);
  });

  it('says of the bot itself what it is about and what to do, which holds no records', async () => {
    const lease: Finding = { ...finding('leases', 'failed', 1), samples: ['run-1'], advice: 'Close it.' };
    await report('run-1', 1, [lease], false, 'self-check');
    const content = notices[0]?.content as ValidationReport;
    expect(content).toMatchObject({ about: 'the-bot', fresh: [{ key: 'leases', detail: 'run-1. Close it.' }] });
    const message = scheduledReport(content);
    expect(message.text).toMatch(/^✗ the bot itself, for /);
    expect(JSON.stringify(message.blocks)).toContain('run-1. Close it.');
  });

  it('edits the message that told of a finding first when it is fixed, however much later', async () => {
    await report('run-1', 1, [finding('a', 'failed')]);
    await report('run-2', 2, [finding('a', 'failed')]);
    await report('run-3', 3, [finding('a', 'passed')]);
    const edit = notices.at(-1);
    expect(edit).toMatchObject({ topic: 'report:run-1', anew: false });
    expect(edit && textOf(edit)).toMatch(
      /✓ ~Rule a~? \(3\)~ fixed, seen at 2026-11-03|✓ ~Rule a \(3\)~ fixed, seen at 2026-11-03/,
    );
  });

  it('is the same when it is made twice: a crash after it was stored', async () => {
    await report('run-1', 1, [finding('a', 'failed')]);
    await report('run-2', 2, [finding('a', 'passed')]);
    const once = notices.map((notice) => [notice.once, notice.content]);
    notices = [];
    await report('run-2', 2, [finding('a', 'passed')]);
    expect(notices.map((notice) => [notice.once, notice.content])).toEqual(once.slice(1));
  });

  it('is left out when it is to be quiet and nothing is new, but not for more than a week', async () => {
    const same = [finding('a', 'failed')];
    for (let day = 1; day <= 9; day += 1) await report(`run-${day}`, day, same, true);
    expect(notices.map(({ topic }) => topic)).toEqual(['report:run-1', 'report:run-8']);
    await report('run-10', 10, [finding('a', 'passed')], true);
    expect(notices.at(-2)?.topic).toBe('report:run-10');
  });

  it('fits into a message with 300 findings of long and hostile names', async () => {
    const hostile = Array.from({ length: 300 }, (_, i) => ({
      ...finding(`check-${i}`, 'failed'),
      title: `${'<!channel> *_~`'.repeat(300)}${i}`,
    }));
    await report('run-1', 1, hostile);
    const [notice] = notices;
    const message = scheduledReport(notice?.content as ValidationReport);
    expect(message.blocks.length).toBeLessThanOrEqual(50);
    expect(JSON.stringify(message)).not.toContain('<!channel>');
    expect(JSON.stringify(message)).toMatch(/and 2\d\d more/);
    expect(JSON.stringify(message.blocks).length).toBeLessThan(limits.characters);
  });
});

describe('two reports', () => {
  it('put each finding into exactly one of new, as before and fixed', () => {
    const open = fc
      .uniqueArray(fc.integer({ min: 0, max: 20 }))
      .map((keys) =>
        keys.map((key): OpenFinding => ({ key: `k${key}`, title: 't', status: 'failed', count: 1, since: 'run-0' })),
      );
    fc.assert(
      fc.property(open, open, (before, now) => {
        const { fresh, still, fixed } = compareFindings(before, now);
        const keys = [...fresh, ...still, ...fixed].map(({ key }) => key).sort();
        const all = [...new Set([...before, ...now].map(({ key }) => key))].sort();
        return JSON.stringify(keys) === JSON.stringify(all) && fresh.length + still.length === now.length;
      }),
    );
  });
});
