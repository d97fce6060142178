import type { NoticeImage, ValidationReport } from '../notices/notice.ts';
import type { Logger } from '../shared/logger.ts';

const [width, height] = [640, 220];
/** Readable on light and on dark: the picture brings its own ground. */
const ground = '#ffffff';

/** The checks of the last reports by what they found, as a PNG. Null where it cannot be drawn, or there is only one to show. */
export async function drawTrend(history: readonly ValidationReport[], logger: Logger): Promise<NoticeImage | null> {
  if (history.length < 2) return null;
  try {
    // Much is loaded for it, and most processes never draw.
    const vega = await import('vega');
    const { compile } = await import('vega-lite');
    const { Resvg } = await import('@resvg/resvg-js');
    const view = new vega.View(vega.parse(compile(specOf(history)).spec), { renderer: 'none' });
    const svg = await view.toSVG();
    view.finalize();
    const png = new Resvg(svg, { background: ground, fitTo: { mode: 'zoom', value: 2 } }).render().asPng();
    return { png, shows: sayTrend(history) };
  } catch (error) {
    logger.warn({ error: (error as Error).message }, 'the trend could not be drawn');
    return null;
  }
}

const words = { failed: 'failed', warning: 'warnings', passed: 'passed' } as const;
const order = ['failed', 'warning', 'passed'] as const;

function specOf(history: readonly ValidationReport[]): Parameters<typeof import('vega-lite').compile>[0] {
  const values = history.flatMap(({ at, totals }, index) =>
    order.map((kind) => ({ at, index, found: words[kind], checks: totals[kind], stack: order.indexOf(kind) })),
  );
  return {
    width,
    height,
    background: ground,
    padding: 12,
    data: { values },
    mark: { type: 'bar', width: { band: 0.8 } },
    encoding: {
      x: {
        field: 'index',
        type: 'ordinal',
        axis: { title: 'reports, the newest on the right', labels: false, ticks: false },
      },
      y: { field: 'checks', type: 'quantitative', axis: { title: 'checks', tickMinStep: 1 } },
      color: {
        field: 'found',
        type: 'nominal',
        sort: order.map((kind) => words[kind]),
        scale: { domain: order.map((kind) => words[kind]), range: ['#c62828', '#f9a825', '#2e7d32'] },
        legend: { title: null, orient: 'top' },
      },
      order: { field: 'stack', type: 'quantitative' },
    },
    config: {
      font: 'DejaVu Sans, Liberation Sans, Arial, sans-serif',
      axis: { labelFontSize: 13, titleFontSize: 13 },
      legend: { labelFontSize: 13 },
    },
  };
}

/** For those who do not see it. */
function sayTrend(history: readonly ValidationReport[]): string {
  const last = history.slice(-5).map(({ totals }) => String(totals.failed));
  return `Failed checks in the last ${history.length} reports; the newest five, the newest last: ${last.join(', ')}.`;
}
