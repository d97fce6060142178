import { systemClock } from '../../src/shared/clock.ts';
import type { Result } from '../../src/terminal/result.ts';
import { runTerminal } from '../../src/terminal/run-terminal.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, bob, FakeDoor } from '../fake-door.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';

let door: FakeDoor;

async function tas(line: string, person = alice): Promise<{ exit: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const exit = await runTerminal(line.split(' '), {
    open: async () => ({ door, desks: fakeDesks(), person, close: async () => {} }),
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    clock: systemClock,
  });
  return { exit, ...said };
}

beforeEach(() => {
  door = new FakeDoor();
});

describe('controlling a run at a terminal', () => {
  it.each([
    ['pause', 'running', 'stands still'],
    ['resume', 'paused', 'goes on'],
    ['stop', 'paused', 'has stopped'],
    ['cancel', 'queued', 'is withdrawn'],
    ['slower', 'running', 'goes at pace 0.5 now'],
    ['faster', 'running', 'goes at pace 2 now'],
  ] as const)('%s of a run that is %s is done when it is said', async (word, status, said) => {
    const run = door.add(sampleRun({ status }));
    const { exit, out } = await tas(`${word} ${run.id}`);
    expect(exit).toBe(0);
    expect(out).toContain(`${run.id} ${said}`);
    expect(door.controlsAsked).toMatchObject([{ what: word, runId: run.id, person: alice, seen: null }]);
  });

  it('does not stay for a window that is to come, and says so with its exit status', async () => {
    const window = { id: 'win-1', from: '2999-11-24T01:00:00.000Z', until: '2999-11-24T03:00:00.000Z' };
    const run = door.add(sampleRun({ plan: samplePlan({ window }) }));
    const { exit, out } = await tas(`approve ${run.id} --wait`, bob);
    expect(door.runMap.get(run.id)?.status).toBe('queued');
    expect([exit, out]).toEqual([4, expect.stringContaining('It starts in its maintenance window')]);
  });

  it('ends with 3 where it does not fit', async () => {
    const run = door.add(sampleRun({ status: 'done' }));
    const { exit, out } = await tas(`pause ${run.id} --json`);
    expect(exit).toBe(3);
    expect((JSON.parse(out) as Result).refusal?.code).toBe('stale');
  });

  it('--wait ends with 4 where a run stands still, and says how it goes on', async () => {
    const run = sampleRun({ status: 'paused' });
    door.add({ ...run, control: { ...run.control, pause: 'it waited 10 minutes: busy in graph' } });
    const { exit, out } = await tas(`runs ${run.id} --wait`);
    expect(exit).toBe(4);
    expect(out).toContain('it waited 10 minutes: busy in graph');
    expect(out).toContain(`npx tas resume ${run.id}  |  npx tas stop ${run.id}\n`);
    const begun = run.steps.map((step, index) => (index === 0 ? { ...step, state: 'done' as const } : step));
    door.add({ ...run, id: 'run-begun00000', steps: begun });
    expect((await tas('runs run-begun00000 --wait')).out).toContain('|  npx tas rollback run-begun00000\n');
  });
});

describe('a vote on one step at a terminal', () => {
  const step = sampleStep({ id: 'data.drop', title: 'Delete old nodes', effect: 'destroys', count: 7 });
  const gate = {
    id: 1,
    step,
    digest: 'e'.repeat(64),
    votesNeeded: 1,
    state: 'open' as const,
    askedAt: '2026-11-20T09:59:00.000Z',
    expiresAt: '2126-11-20T10:59:00.000Z',
    votes: [],
  };

  function paused() {
    const run = sampleRun({ status: 'paused', startedAt: '2026-11-20T09:58:00.000Z' });
    return door.add({ ...run, control: { ...run.control, pause: 'it needs a vote', gates: [gate], ballot: gate } });
  }

  it('prints the step, and votes on the digest of what it printed', async () => {
    const run = paused();
    const { out } = await tas(`approve ${run.id}`, bob);
    expect(out).toMatch(/SANDBOX · destroys 7 · Delete old nodes/);
    expect(door.votesAsked).toMatchObject([{ runId: run.id, digest: gate.digest, choice: 'approve' }]);
  });

  it('is listed among what waits for votes', async () => {
    const run = paused();
    expect((await tas('approve', bob)).out).toContain(run.id);
  });
});
