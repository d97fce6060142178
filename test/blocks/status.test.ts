import { statusMessage } from '../../blocks/status.ts';
import type { EnvironmentStatus, SystemView } from '../../src/runs/door.ts';

function textOf(versions: { readonly [system: string]: string | null }): string {
  const systems = Object.entries(versions).map(
    ([name, version]): SystemView => ({
      name,
      type: 'memory',
      health: { up: true, version: '1', latencyMs: 3 },
      lastUpAt: null,
      dataModel: version === null ? null : { version, runId: 'run-1', at: '2026-11-20T10:00:00.000Z' },
    }),
  );
  const status: EnvironmentStatus = {
    environment: 'sandbox',
    production: false,
    systems,
    holder: null,
    lastBackup: null,
    openRuns: [],
  };
  return JSON.stringify(statusMessage(status));
}

describe('the status of an environment', () => {
  it('shows the data-model version of each system, and a dash where none is recorded', () => {
    const text = textOf({ graph: '2.0', relational: '2.0', objects: null });
    expect(text).toContain('*graph* (memory) 1 · 3 ms · data model 2.0');
    expect(text).toContain('*objects* (memory) 1 · 3 ms · data model —');
    expect(text).not.toContain('not at one data-model version');
  });

  it('marks the system that disagrees with the others', () => {
    const text = textOf({ graph: '2.0', relational: '2.0', objects: '1.0' });
    expect(text).toContain('*objects* (memory) 1 · 3 ms · data model ⚠ 1.0');
    expect(text).toContain('*graph* (memory) 1 · 3 ms · data model 2.0');
    expect(text).toContain('not at one data-model version');
  });

  it('marks both where two disagree', () => {
    const text = textOf({ graph: '2.0', relational: '1.0' });
    expect(text).toContain('data model ⚠ 2.0');
    expect(text).toContain('data model ⚠ 1.0');
  });
});
