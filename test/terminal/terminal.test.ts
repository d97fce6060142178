import type { Person } from '../../src/runs/door.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { Failure } from '../../src/shared/failure.ts';
import type { Result } from '../../src/terminal/result.ts';
import { runTerminal } from '../../src/terminal/run-terminal.ts';
import { fakeDesks } from '../fake-desks.ts';
import { alice, bob, carol, FakeDoor, mallory } from '../fake-door.ts';
import { sampleFindings, samplePlan, sampleRun } from '../sample-run.ts';

let door: FakeDoor;
let closed: number;

async function tas(
  line: string,
  person: Person = alice,
  slowAfter?: number,
): Promise<{ exit: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const values = [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([value]) => value.replaceAll('"', ''));
  const exit = await runTerminal(values, {
    open: async () => ({
      door,
      desks: fakeDesks(),
      person,
      close: async () => {
        closed += 1;
      },
    }),
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    clock: systemClock,
    ...(slowAfter === undefined ? {} : { slowAfter }),
  });
  return { exit, ...said };
}

async function json(line: string, person: Person = alice): Promise<Result & { exit: number }> {
  const { exit, out } = await tas(`${line} --json`, person);
  return { ...(JSON.parse(out) as Result), exit };
}

beforeEach(() => {
  door = new FakeDoor();
  closed = 0;
});

describe('an answer that takes long', () => {
  const slowly = (line: string, slowAfter?: number) => {
    door.slow = new Promise((resolve) => setTimeout(resolve, 150).unref());
    return tas(line, alice, slowAfter);
  };

  it('is said to be looked for where somebody watches, beside the answer itself', async () => {
    const { out, err } = await slowly('plan space-isolation env:sandbox', 10);
    expect(err).toBe('▶ Looking at every store for plan space-isolation; this writes nothing.\n');
    expect(out).toMatch(/^Plan: SANDBOX/);
    const json = await slowly('plan space-isolation env:sandbox --json', 10);
    expect(json.err).toBe(err);
    expect(JSON.parse(json.out)).toBeDefined();
  });

  it('is not where nobody watches, where it comes in time, or where no store is looked at', async () => {
    expect((await slowly('plan space-isolation env:sandbox')).err).toBe('');
    expect((await slowly('plan space-isolation env:sandbox', 10_000)).err).toBe('');
    expect((await slowly('runs', 0)).err).toBe('');
  });
});

describe('exit status', () => {
  it.each([
    ['help', alice, 0],
    ['status env:sandbox', carol, 0],
    ['runs', carol, 0],
    ['backup env:sandbox', alice, 0],
    ['migrate space-isolation env:sandbox', alice, 4],
    ['migrate space-isolation', alice, 2],
    ['migrate space-isolaton env:sandbox', alice, 2],
    ['backup env:nowhere', alice, 2],
    ['backup --force env:sandbox', alice, 2],
    ['backup --as', alice, 2],
    ['rollback run-0000000000', alice, 2],
    ['backup env:sandbox', carol, 3],
    ['help', mallory, 3],
  ])('of `%s`', async (line, person, exit) => {
    expect((await tas(line, person)).exit).toBe(exit);
    expect((await json(line, person)).exit).toBe(exit);
  });

  it('is 3 for what the door refuses and 1 for what is out of order', async () => {
    const refusal = { kind: 'refused' as const, message: 'held', advice: 'wait', findings: [] };
    door.nextSubmission = { ...refusal, code: 'environment-busy' };
    expect(await json('backup env:sandbox')).toMatchObject({
      exit: 3,
      refusal: { code: 'environment-busy' },
      run: null,
    });
    door.nextSubmission = { ...refusal, code: 'precondition-failed', findings: sampleFindings };
    expect(await json('backup env:sandbox')).toMatchObject({ exit: 3, findings: sampleFindings });
    door.nextSubmission = { ...refusal, code: 'unreachable' };
    expect(await json('backup env:sandbox')).toMatchObject({ exit: 1, refusal: { code: 'unreachable' } });
  });

  it('is 1 for a bug, with an id on both sides, and the door is closed', async () => {
    door.runs = async () => {
      throw new Error('broken inside');
    };
    const { exit, out, err } = await tas('runs --json');
    const id = /wrong: ([0-9a-f]{8})/.exec(out)?.[1] ?? 'none';
    expect(exit).toBe(1);
    expect(err).toContain(`${id} Error: broken inside`);
    expect(out).not.toContain('broken inside');
    expect(closed).toBe(1);
  });
});

describe('--json', () => {
  it('prints exactly one object, and everything else to standard error', async () => {
    const { out, err } = await tas('migrate space-isolation env:sandbox --json');
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({
      run: 'run-0000000001',
      status: 'planned',
      action: 'migrate',
      environment: 'sandbox',
      counts: { adds: 500, changes: 41_203, destroys: 0, done: 0 },
      findings: [],
      conflicts: [],
      refusal: null,
      message:
        'SANDBOX · space-isolation · adds 500 · changes 41,203 · destroys 0 · undo any time · alice: waits for approval',
    });
    expect(err).toBe('');
  });

  it('lists environments, systems, runs and backup sets as data', async () => {
    door.add(sampleRun());
    door.backupList = [{ id: 'set-1', environment: 'sandbox', createdAt: '', bytes: 1, systems: [], proven: null }];
    expect(await json('backup')).toMatchObject({ environments: ['sandbox', 'production'] });
    expect(await json('status env:sandbox')).toMatchObject({ systems: [{ name: 'graph' }, { health: { up: false } }] });
    expect(await json('runs')).toMatchObject({ runs: [{ run: 'run-01jd0a4ycz', subject: 'space-isolation' }] });
    expect(await json('backup list env:sandbox')).toMatchObject({ backups: [{ id: 'set-1' }] });
  });
});

describe('voting', () => {
  it('prints the plan, then votes on the digest that it printed', async () => {
    const run = door.add(sampleRun());
    const { exit, out } = await tas(`approve ${run.id}`, bob);
    expect(out).toMatch(/SANDBOX · space-isolation[\s\S]*changes 40,000[\s\S]*You approved SANDBOX/);
    expect(door.votesAsked).toMatchObject([{ digest: run.digest, choice: 'approve' }]);
    expect(exit).toBe(0);
  });

  it('prints the link of an approval that has to be confirmed, and waits for it with 4', async () => {
    const run = door.add(sampleRun({ expiresAt: '2126-01-01T00:00:00.000Z' }));
    const link = 'https://bot.example.com/step-up/secret';
    const expiresAt = '2026-11-20T10:05:00.000Z';
    door.nextVote = { kind: 'to-confirm', run, link, expiresAt };
    const { exit, out } = await tas(`approve ${run.id}`, bob);
    expect(exit).toBe(4);
    expect(out).toContain('Not counted yet: SANDBOX');
    expect(out).toContain(`until 2026-11-20 10:05 UTC.\n`);
    expect(out.endsWith(`\n${link}\n`)).toBe(true);
    const result = await json(`approve ${run.id}`, bob);
    expect(result).toMatchObject({
      exit: 4,
      run: run.id,
      status: 'planned',
      refusal: null,
      confirm: { link, expiresAt },
    });
  });

  it('ends with 0 when a no was counted', async () => {
    const run = door.add(sampleRun());
    expect(await json(`reject ${run.id} reason:"not now"`, bob)).toMatchObject({ status: 'rejected', exit: 0 });
    expect(await json(`approve ${run.id}`, bob)).toMatchObject({ refusal: { code: 'stale' }, exit: 3 });
  });
});

describe('--wait', () => {
  it('ends at once with 4 where votes are wanted', async () => {
    expect(await json('migrate space-isolation env:sandbox --wait')).toMatchObject({ status: 'planned', exit: 4 });
  });

  it('follows a run to its end, telling how far it is on standard error', async () => {
    const run = door.add(sampleRun());
    const waiting = tas(`approve ${run.id} --wait --json`, bob);
    const started = new Date(Date.now() - 5_000).toISOString();
    const steps = run.steps.map((step, index) =>
      index === 0 ? { ...step, state: 'running' as const, done: 100, startedAt: started } : step,
    );
    await until(() => door.votesAsked.length === 1);
    door.change(run.id, { status: 'running', startedAt: started, steps }, 'started', null);
    await new Promise((resolve) => setImmediate(resolve));
    door.change(run.id, { status: 'done', endedAt: new Date().toISOString() }, 'done', null);
    const { exit, out, err } = await waiting;
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'done', counts: { done: 100 } });
    expect(err).toMatch(/run-01jd0a4ycz 0 % · Data: Give users without a tenant/);
  });

  it.each([
    ['done', { findings: sampleFindings }, 1],
    ['parked', {}, 1],
    ['voided', {}, 3],
    ['expired', {}, 3],
    ['closed', {}, 1],
  ] as const)('ends a run that is %s with %o as %i', async (status, over, exit) => {
    const run = door.add(sampleRun({ ...over, status }));
    expect(await json(`runs ${run.id} --wait`)).toMatchObject({ status, exit });
  });

  it('reports what an undo kept', async () => {
    const plan = samplePlan({ action: 'rollback', subject: 'run-1' });
    const run = door.add(sampleRun({ plan, status: 'done' }));
    const conflict = {
      system: 'graph',
      stepId: 's',
      collection: 'Notebook',
      key: 'nb-1',
      field: 'title',
      reason: 'changed-since' as const,
      base: 'a',
      ours: 'b',
      theirs: 'c',
    };
    door.conflictReport = { total: 1, conflicts: [conflict] };
    expect(await json(`runs ${run.id} --wait`)).toMatchObject({ conflicts: [conflict], exit: 0 });
    const { out } = await tas(`runs ${run.id} --wait`);
    expect(out).toContain('Notebook nb-1, title (graph): somebody changed it since — before a, the run wrote b, now c');
  });
});

describe('text', () => {
  it('names people, not ids, and says what to type next', async () => {
    const { out } = await tas('migrate space-isolation env:sandbox');
    expect(out).toContain('alice asks; votes until 2026-11-20 10:55 UTC');
    expect(out).toContain('npx tas approve run-0000000001');
    expect(out).not.toMatch(/[<>]|&\w+;|UALICE|\*/);
  });

  it('prints a plan in full, and ends with 3 where it would be refused', async () => {
    const looked = await tas('plan space-isolation env:sandbox', carol);
    expect(looked).toMatchObject({ exit: 0, err: '' });
    expect(looked.out).toContain('Plan: SANDBOX · space-isolation · adds 500');
    expect(looked.out).toContain('nothing was stored');
    expect(await json('plan space-isolation env:sandbox', carol)).toMatchObject({
      counts: { adds: 500, changes: 41_203 },
      plan: { subject: 'space-isolation' },
    });
    door.nextPreview = { plan: samplePlan({ findings: sampleFindings }), votesNeeded: 1, refused: true };
    expect((await tas('plan space-isolation env:sandbox', carol)).err).toContain('✗ No two users share a tenant');
    expect(await json('plan space-isolation env:sandbox', carol)).toMatchObject({
      exit: 3,
      refusal: { code: 'precondition-failed' },
      findings: sampleFindings,
    });
    expect(door.asked).toEqual([]);
  });

  it('prints the ways back with what to type for each', async () => {
    const run = door.add(sampleRun({ status: 'done' }));
    const { exit, out } = await tas(`rollback ${run.id}`);
    expect(exit).toBe(0);
    expect(out).toContain('Recommended: undo.');
    expect(out).toContain(`npx tas rollback ${run.id} way:undo`);
    expect(await json(`rollback ${run.id}`)).toMatchObject({ advice: { recommended: { way: 'undo' } }, run: null });
    expect(await json(`rollback ${run.id} way:undo`)).toMatchObject({ action: 'rollback', exit: 4 });
  });

  it('takes a whole line in one argument', async () => {
    const exit = await runTerminal(['backup env:sandbox reason:“why not”'], {
      open: async () => ({ door, desks: fakeDesks(), person: alice, close: async () => {} }),
      out: () => {},
      err: () => {},
      clock: systemClock,
    });
    expect(exit).toBe(0);
    expect(door.asked).toMatchObject([{ environment: 'sandbox', reason: 'why not' }]);
  });

  it('helps before there is a configuration, and nothing else does', async () => {
    const failure = new Failure({ code: 'invalid-config', message: 'TAS_CONFIG names nothing.', advice: 'Set it.' });
    const terminal = {
      open: async () => {
        throw failure;
      },
      out: () => {},
      err: () => {},
      clock: systemClock,
    };
    expect(await runTerminal(['help'], terminal)).toBe(0);
    expect(await runTerminal(['--help'], terminal)).toBe(0);
    expect(await runTerminal(['runs'], terminal)).toBe(1);
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
