import { systemClock } from '../../src/shared/clock.ts';
import { runTerminal } from '../../src/terminal/run-terminal.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, FakeDoor } from '../fake-door.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';

const running = { status: 'running', startedAt: '2026-11-20T09:56:00.000Z' } as const;

async function follow(door: FakeDoor, line: string): Promise<{ out: string; err: string }> {
  const said = { out: '', err: '' };
  await runTerminal(line.split(' '), {
    open: async () => ({ door, desks: fakeDesks(), person: alice, close: async () => {} }),
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
      // The next look finds it over.
      for (const run of door.runMap.values()) {
        if (run.status === 'running') door.change(run.id, { status: 'done', endedAt: run.startedAt }, 'done', null);
      }
    },
    clock: systemClock,
  });
  return said;
}

describe('a terminal', () => {
  it('prints once how to recover without the bot when it follows a run that changes something', async () => {
    const door = new FakeDoor();
    const run = door.add(sampleRun(running));
    const { out, err } = await follow(door, `runs ${run.id} --wait`);
    expect(err.split('If I die')).toHaveLength(2);
    expect(err).toContain(`npx tas rollback ${run.id} way:undo`);
    expect(out).not.toContain('If I die');
  });

  it('does not for a run that changes nothing', async () => {
    const door = new FakeDoor();
    const run = door.add(sampleRun({ ...running, plan: samplePlan({ action: 'backup' }) }));
    expect((await follow(door, `runs ${run.id} --wait`)).err).not.toContain('If I die');
  });

  it('says how things stand, and where the runbook is, when the run that it follows has stopped', async () => {
    const door = new FakeDoor();
    const run = door.add(sampleRun({ status: 'parked' }));
    const { out } = await follow(door, `runs ${run.id} --wait`);
    expect(out).toContain('Data: not begun: Data, Relational copies');
    expect(out).toContain(`npx tas runbook ${run.id}`);
  });

  it('shows the whole runbook, and as JSON', async () => {
    const door = new FakeDoor();
    const run = door.add(sampleRun({ status: 'parked', backupId: 'backup-1' }));
    expect((await follow(door, `runbook ${run.id}`)).out).toContain('\nnpx tas restore backup-1 env:sandbox\n');
    const { out } = await follow(door, `runbook ${run.id} --json`);
    expect(JSON.parse(out)).toMatchObject({ run: run.id, environment: 'sandbox', runbook: { runId: run.id } });
  });
});
