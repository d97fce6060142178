import { readFailureFacts } from '../../commands/failure-facts.ts';
import type { EnvironmentStatus } from '../../src/runs/door.ts';
import { createRunbooks } from '../../src/runs/runbook.ts';
import { fakeDesks } from '../fake-desks.ts';
import { sampleRun } from '../sample-run.ts';

const run = sampleRun({ status: 'parked' });
const links = new Map([['sandbox', 'https://wiki.example.com/dba']]);
const desks = fakeDesks({ runbooks: createRunbooks({ environments: new Map(), bot: null, links }) });
const status = (runId: string): EnvironmentStatus => ({
  environment: 'sandbox',
  production: false,
  systems: [],
  holder: { runId, status: 'parked', since: '2026-11-20T09:56:00.000Z' },
  lastBackup: null,
  openRuns: [],
  standing: ['front is stopped'],
});

describe('what a failure card tells beside the run', () => {
  it('is read as anybody with the least role reads it', async () => {
    const asked: unknown[] = [];
    const door = {
      status: async (_environment: string, person: object) => {
        asked.push(person);
        return status(run.id);
      },
    };
    expect(await readFailureFacts({ door, desks }, run)).toMatchObject({
      standing: ['front is stopped'],
      called: { contacts: [] },
      link: 'https://wiki.example.com/dba',
    });
    expect(asked).toMatchObject([{ roles: ['viewer'] }]);
  });

  it('is left out where a store hangs or the reading fails: the card does not wait', async () => {
    const hangs = { status: () => new Promise<never>(() => {}) };
    expect((await readFailureFacts({ door: hangs, desks }, run, 20)).standing).toBeNull();
    const oncall = { ...desks.oncall, view: () => Promise.reject(new Error('down')) };
    const door = { status: async () => status(run.id) };
    const facts = await readFailureFacts({ door, desks: { ...desks, oncall } }, run);
    expect(facts).toMatchObject({ called: null, standing: ['front is stopped'] });
  });

  it('says nothing of what another run holds by now', async () => {
    const door = { status: async () => status('run-01jd0a4yd0') };
    expect((await readFailureFacts({ door, desks }, run)).standing).toBeNull();
  });
});
