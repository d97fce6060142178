import type { Window } from '../../src/maintenance/window.ts';

/** Two hours in the night of 24 November 2026, in Berlin. */
export function sampleWindow(over: Partial<Window> = {}): Window {
  return {
    id: 'win-0a1b2c3d',
    environment: 'sandbox',
    from: '2026-11-24T01:00:00.000Z',
    to: '2026-11-24T03:00:00.000Z',
    zone: 'Europe/Berlin',
    reason: 'A new data model',
    migration: null,
    state: 'scheduled',
    createdBy: { id: 'UALICE', name: 'alice' },
    createdAt: '2026-11-20T10:00:00.000Z',
    startedAt: null,
    endedAt: null,
    remark: null,
    ...over,
  };
}
