import { answer } from '../../commands/answer.ts';
import { parseWords } from '../../commands/parse-words.ts';
import type { Person } from '../../src/runs/door.ts';
import { fakeDesks } from '../fake-desks.ts';
import { bob, carol, FakeDoor, mallory } from '../fake-door.ts';
import { sampleRun } from '../sample-run.ts';

const run = sampleRun({ status: 'parked', backupId: 'backup-1' });
const desks = fakeDesks({
  oncall: {
    settle: async () => null,
    view: async (environment) => ({
      environment,
      duties: null,
      note: null,
      contacts: [{ name: 'Dana', role: 'database admin' }],
      pages: [],
    }),
  },
});

function ask(line: string, person: Person) {
  const door = new FakeDoor();
  door.add(run);
  return answer(parseWords(line), { door, desks, person, show: null });
}

describe('runbook', () => {
  it.each([carol, bob])('is read by whoever has a role, with whom to call', async (person) => {
    expect(await ask(`runbook ${run.id}`, person)).toMatchObject({
      kind: 'runbook',
      runbook: { runId: run.id, environment: 'sandbox' },
      called: { contacts: [{ name: 'Dana' }] },
    });
  });

  it('is not read by strangers, needs a run, and names the nearest one', async () => {
    const refused = await ask(`runbook ${run.id}`, mallory).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'not-allowed' });
    await expect(ask('runbook', carol)).rejects.toMatchObject({ code: 'wrong-use' });
    await expect(ask('runbook run-01jd0a4ycx', carol)).rejects.toMatchObject({ code: 'unknown-run' });
    await expect(ask(`runbook ${run.id} env:production`, carol)).rejects.toMatchObject({ code: 'wrong-use' });
  });
});
