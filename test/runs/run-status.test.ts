import fc from 'fast-check';
import { isOver, mayMove, type RunStatus, runStatuses } from '../../src/runs/run-status.ts';

const legal: readonly (readonly [RunStatus, RunStatus])[] = [
  ['planned', 'queued'],
  ['planned', 'rejected'],
  ['planned', 'expired'],
  ['planned', 'voided'],
  ['queued', 'running'],
  ['queued', 'expired'],
  ['queued', 'voided'],
  ['planned', 'closed'],
  ['queued', 'closed'],
  ['running', 'paused'],
  ['paused', 'running'],
  ['paused', 'parked'],
  ['running', 'done'],
  ['running', 'parked'],
  ['running', 'voided'],
  ['parked', 'running'],
  ['parked', 'closed'],
];
const over: readonly RunStatus[] = ['done', 'rejected', 'expired', 'voided', 'closed'];
const all = runStatuses.flatMap((from) => runStatuses.map((to) => [from, to] as const));
const anyStatus = fc.constantFrom(...runStatuses);

describe('the status of a run', () => {
  it('is one of ten', () => {
    expect(runStatuses).toHaveLength(10);
  });

  it.each(all)('%s → %s is as the table says', (from, to) => {
    expect(mayMove(from, to)).toBe(legal.some(([a, b]) => a === from && b === to));
  });

  it.each(runStatuses)('%s is over when nothing leads out of it', (status) => {
    expect(isOver(status)).toBe(over.includes(status));
  });

  it('once over is over for ever, whatever is tried', () => {
    fc.assert(
      fc.property(fc.array(anyStatus, { maxLength: 60 }), (attempts) => {
        let status: RunStatus = 'planned';
        let ended: RunStatus | null = null;
        for (const to of attempts) {
          if (mayMove(status, to)) status = to;
          if (ended !== null) expect(status).toBe(ended);
          if (isOver(status)) ended = status;
        }
      }),
    );
  });

  it('never runs without having been queued, and is never done without having run', () => {
    fc.assert(
      fc.property(fc.array(anyStatus, { maxLength: 60 }), (attempts) => {
        const path: RunStatus[] = ['planned'];
        for (const to of attempts) if (mayMove(path.at(-1) as RunStatus, to)) path.push(to);
        if (path.includes('running')) expect(path.indexOf('queued')).toBeLessThan(path.indexOf('running'));
        if (path.includes('running')) expect(path).toContain('queued');
        if (path.includes('done')) expect(path[path.indexOf('done') - 1]).toBe('running');
        if (path.includes('closed') && path.includes('running')) expect(path).toContain('parked');
      }),
    );
  });

  it('can always come to an end', () => {
    for (const start of runStatuses) {
      const seen = new Set<RunStatus>([start]);
      for (const from of seen) for (const to of runStatuses) if (mayMove(from, to)) seen.add(to);
      expect([...seen].some(isOver)).toBe(true);
    }
  });
});
