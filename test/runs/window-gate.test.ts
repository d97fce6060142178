import { windowGate } from '../../src/runs/window-gate.ts';

const window = { id: 'win-1', from: '2026-11-24T01:00:00.000Z', until: '2026-11-24T03:00:00.000Z' };
const at = (time: string): Date => new Date(`2026-11-24T${time}Z`);

describe('a run that is bound to a window', () => {
  it('waits before it, starts in it, and does not start after it', () => {
    expect(windowGate(window, 'to-come', at('00:59:00'))).toEqual({ pass: false, waitMs: 60_000 });
    expect(windowGate(window, 'to-come', at('01:00:00'))).toEqual({ pass: true });
    expect(windowGate(window, 'open', at('02:59:59'))).toEqual({ pass: true });
    expect(windowGate(window, 'open', at('03:00:00'))).toEqual({
      pass: false,
      why: 'its maintenance window win-1 ended at 2026-11-24T03:00:00.000Z',
    });
  });

  it('starts earlier where somebody has begun the window, and never where it was cancelled', () => {
    expect(windowGate(window, 'open', at('00:30:00'))).toEqual({ pass: true });
    expect(windowGate(window, 'over', at('01:30:00'))).toMatchObject({ why: expect.stringMatching(/cancelled/) });
    expect(windowGate(window, 'over', at('00:30:00'))).toMatchObject({ pass: false });
  });
});
