import type { ValidationReport } from '../../src/notices/notice.ts';
import { drawTrend } from '../../src/reports/trend-chart.ts';
import { createLogger } from '../../src/shared/logger.ts';

const report = (failed: number, index: number): ValidationReport => ({
  kind: 'validation-report',
  schedule: 'sch-1',
  environment: 'staging',
  runId: `run-${index}`,
  at: `2026-11-${String(index + 1).padStart(2, '0')}T03:00:00Z`,
  totals: { passed: 10, warning: 1, failed, skipped: 0 },
  fresh: [],
  still: [],
  fixed: [],
  fixedLater: {},
});

describe('the trend of reports', () => {
  it('is a picture of some size, with words for those who do not see it', async () => {
    const image = await drawTrend([3, 2, 2, 0].map(report), createLogger('silent'));
    expect(image?.png.subarray(1, 4).toString()).toBe('PNG');
    expect(image?.png.readUInt32BE(16)).toBeGreaterThan(1000);
    expect(image?.png.length).toBeGreaterThan(5_000);
    expect(image?.shows).toBe('Failed checks in the last 4 reports; the newest five, the newest last: 3, 2, 2, 0.');
  });

  it('is not drawn of a single report', async () => {
    expect(await drawTrend([report(1, 0)], createLogger('silent'))).toBeNull();
  });
});
