import { type KeepDeps, keepWindows } from '../../src/maintenance/keep-windows.ts';
import type { Window } from '../../src/maintenance/window.ts';
import { usualWords } from '../../src/maintenance/words.ts';
import type { NewNotice } from '../../src/notices/notice.ts';
import type { RunRequest, Submission } from '../../src/runs/door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { samplePlan, sampleRun, sampleStep } from '../sample-run.ts';
import { memoryWindowStore } from './memory-window-store.ts';
import { sampleWindow } from './sample-window.ts';

const bind = { id: 'win-0a1b2c3d', from: '2026-11-24T01:00:00.000Z', until: '2026-11-24T03:00:00.000Z' };

function world(over: Partial<Window> = {}, mode: string | null = 'cluster') {
  let now = new Date('2026-11-20T10:00:00.000Z');
  let holder: string | null = null;
  let own = false;
  const window = sampleWindow(over);
  const store = memoryWindowStore([window]);
  const runs = new Map<string, StoredRun>();
  const notices = new Map<string, NewNotice>();
  const opened: string[] = [];
  const asked: RunRequest[] = [];
  const called: (string | null)[] = [];
  const answers: Submission[] = [];
  const deps: KeepDeps = {
    store,
    settings: new Map([
      [
        'sandbox',
        {
          channels: ['users', 'news'],
          before: [24 * 3_600_000, 3_600_000, 600_000],
          zone: 'UTC',
          words: usualWords,
          mode,
          askAhead: 24 * 3_600_000,
          statusPage: { url: 'https://status.example', header: { name: 'x', value: null as never } },
        },
      ],
    ]),
    channelOf: () => 'tas-platform',
    records: {
      find: async (id) => runs.get(id) ?? null,
      leaseHolder: async () => (holder === null ? null : { runId: holder, status: 'running', since: '' }),
      openToStart: async (id) => opened.push(id) > 0,
    },
    door: {
      async submit(request) {
        asked.push(request);
        const answer = answers.shift();
        if (answer !== undefined) return answer;
        const plan = samplePlan({
          action: 'maintenance',
          ...(request.maintenance ? { maintenance: request.maintenance } : {}),
        });
        const run = add({ plan: request.maintenance?.on ? { ...plan, window: bind } : plan, status: 'planned' });
        return { kind: 'accepted', run, votesNeeded: 1 };
      },
    },
    notices: {
      async add(all) {
        for (const one of all) if (!notices.has(one.once)) notices.set(one.once, one);
      },
    },
    ownsMode: async () => own,
    modeMemory: new Map(),
    callLate: async (_window, runId) => void called.push(runId),
    settle: async () => void called.push('settled'),
    holder: 'a',
    clock: { now: () => now },
    logger: createLogger('silent'),
  };

  function add(run: Partial<StoredRun>): StoredRun {
    const id = run.id ?? `run-${runs.size + 1}`;
    const stored = { ...sampleRun({ ...run, id }), ...run, id } as StoredRun;
    runs.set(id, stored);
    if (!store.bound.includes(id)) store.bound.push(id);
    return stored;
  }

  return {
    deps,
    store,
    add,
    asked,
    answers,
    opened,
    called,
    hold: (by: string | null) => {
      holder = by;
    },
    owns: () => {
      own = true;
    },
    window: async () => (await store.find(window.id)) as Window,
    told: () =>
      [...notices.values()]
        .filter(({ to }) => 'channel' in to && to.channel === 'users')
        .map(({ once }) => once.split(':').slice(2, -1).join(':')),
    lines: () => [...notices.values()].flatMap(({ content }) => (content.kind === 'line' ? [content.text] : [])),
    async at(time: string) {
      now = new Date(time);
      await keepWindows(deps);
    },
  };
}

describe('a window', () => {
  it('is announced when it is planned, three times before, when it begins and when it is over, to each channel once', async () => {
    const { at, told, store, window } = world({}, null);
    await at('2026-11-20T10:00:05Z');
    await at('2026-11-20T10:00:10Z');
    await at('2026-11-23T01:00:00Z');
    await at('2026-11-24T00:00:01Z');
    await at('2026-11-24T00:50:01Z');
    await at('2026-11-24T01:00:01Z');
    expect((await window()).state).toBe('active');
    await at('2026-11-24T03:00:01Z');
    expect((await window()).state).toBe('ended');
    await at('2026-11-24T03:00:06Z');
    expect(told()).toEqual(['scheduled', 'before:86400000', 'before:3600000', 'before:600000', 'started', 'ended']);
    expect(store.posts.map(({ id }) => id)).toEqual(told().map((name) => `win-0a1b2c3d:${name}`));
    expect(store.posts[4]?.body).toMatchObject({
      occasion: 'started',
      text: '🛠 Maintenance of sandbox has begun and lasts until 2026-11-24 04:00 Europe/Berlin (UTC+1). A new data model',
    });
  });

  it('tells after an outage of the bot what is true then, and not what would have been', async () => {
    const { at, told } = world({}, null);
    await at('2026-11-24T02:00:00Z');
    expect(told()).toEqual(['started']);
  });

  it('that nobody could begin in its time did not take place', async () => {
    const { at, told, window } = world({}, null);
    await at('2026-11-24T03:00:00Z');
    expect(await window()).toMatchObject({ state: 'missed' });
    expect(told()).toEqual(['cancelled']);
  });

  it('is looked after by one process at a time', async () => {
    const { at, deps, told } = world({}, null);
    await at('2026-11-20T10:00:00Z');
    await keepWindows({ ...deps, holder: 'b', notices: { add: () => Promise.reject(new Error('a second one')) } });
    expect(told()).toEqual(['scheduled']);
  });

  it('is late while a run holds the environment, calls somebody, and ends when that is over', async () => {
    const { at, add, hold, told, called, lines, window } = world({ state: 'active' }, null);
    const run = add({ status: 'parked', plan: samplePlan({ window: bind }) });
    hold(run.id);
    await at('2026-11-24T03:00:01Z');
    await at('2026-11-24T03:30:00Z');
    expect(told()).toEqual(['late']);
    expect(called).toEqual([run.id, run.id]);
    expect(lines()).toEqual([
      expect.stringMatching(/should have ended at 2026-11-24 04:00 Europe.*run-1 is parked.*rollback run-1/),
    ]);
    hold(null);
    await at('2026-11-24T03:40:00Z');
    expect(await window()).toMatchObject({ state: 'ended' });
    expect(called.at(-1)).toBe('settled');
    expect(told()).toEqual(['late', 'ended']);
  });
});

describe('maintenance mode', () => {
  it('is asked for a day ahead by the one who planned the window, once, with what users read', async () => {
    const { at, asked } = world();
    await at('2026-11-22T01:00:00Z');
    expect(asked).toEqual([]);
    await at('2026-11-23T01:00:00Z');
    await at('2026-11-23T05:00:00Z');
    expect(asked).toEqual([
      {
        action: 'maintenance',
        environment: 'sandbox',
        subject: 'on win-0a1b2c3d',
        person: { id: 'UALICE', name: 'alice', roles: ['operator'] },
        reason: 'A new data model',
        maintenance: {
          window: 'win-0a1b2c3d',
          system: 'cluster',
          on: true,
          message:
            '🛠 Maintenance of sandbox has begun and lasts until 2026-11-24 04:00 Europe/Berlin (UTC+1). A new data model',
          until: '2026-11-24T03:00:00.000Z',
        },
      },
    ]);
  });

  it('is asked for again in the window where nobody has voted, and not where somebody said no', async () => {
    const { at, asked, add } = world();
    await at('2026-11-23T01:00:00Z');
    const run = add({ id: 'run-1', status: 'expired', plan: samplePlan({ ...asked[0], window: bind } as never) });
    await at('2026-11-23T05:00:00Z');
    expect(asked).toHaveLength(1);
    await at('2026-11-24T00:00:00Z');
    await at('2026-11-24T00:30:00Z');
    expect(asked).toHaveLength(2);
    add({ ...run, id: 'run-2' });
    await at('2026-11-24T00:59:00Z');
    expect(asked).toHaveLength(2);
    await at('2026-11-24T01:00:01Z');
    expect(asked).toHaveLength(3);
    const no = world({ state: 'active' });
    no.add({ ...run, status: 'rejected' });
    await no.at('2026-11-24T01:30:00Z');
    expect(no.asked).toEqual([]);
  });

  it('is left to the run whose own section does it', async () => {
    const { at, asked, owns } = world({ migration: 'space-isolation' });
    owns();
    await at('2026-11-23T12:00:00Z');
    await at('2026-11-24T01:30:00Z');
    expect(asked).toEqual([]);
  });

  it('goes off behind the window as a run of its own; only then users hear that it is over', async () => {
    const { at, asked, add, told } = world();
    await at('2026-11-23T12:00:00Z');
    add({ id: 'run-1', status: 'done', plan: samplePlan({ ...asked[0], window: bind } as never) });
    await at('2026-11-24T01:00:01Z');
    await at('2026-11-24T03:00:01Z');
    await at('2026-11-24T03:00:06Z');
    expect(asked.slice(1)).toMatchObject([{ maintenance: { on: false, message: '', until: null } }]);
    expect(told()).not.toContain('ended');
    add({ id: 'run-2', status: 'done', plan: samplePlan(asked[1] as never) });
    await at('2026-11-24T03:05:00Z');
    expect(told().at(-1)).toBe('ended');
  });

  it('that nobody turns off behind the window is told to operators, once, with what to do', async () => {
    const { at, asked, add, lines } = world();
    await at('2026-11-23T12:00:00Z');
    add({ id: 'run-1', status: 'done', plan: samplePlan({ ...asked[0], window: bind } as never) });
    await at('2026-11-24T01:00:01Z');
    await at('2026-11-24T03:00:01Z');
    await at('2026-11-24T03:14:00Z');
    expect(lines()).toEqual([]);
    await at('2026-11-24T03:15:02Z');
    await at('2026-11-24T03:20:00Z');
    expect(lines()).toEqual([expect.stringMatching(/users still read that maintenance goes on: run-2.*is planned/)]);
  });

  it('that cannot be asked for keeps nobody from being told that maintenance begins', async () => {
    const { at, deps, told } = world({ state: 'active' });
    deps.door.submit = () => Promise.reject(new Error('a bug'));
    await at('2026-11-24T01:30:00Z');
    expect(told()).toEqual(['started']);
  });

  it('that is off already is over for users; one that is refused is asked for again, not every few seconds', async () => {
    const { at, asked, add, answers, told } = world();
    await at('2026-11-23T12:00:00Z');
    add({ id: 'run-1', status: 'done', plan: samplePlan({ ...asked[0], window: bind } as never) });
    await at('2026-11-24T01:00:01Z');
    answers.push(
      { kind: 'refused', code: 'environment-busy', message: 'held', advice: '', findings: [] },
      { kind: 'nothing-to-do', title: 'Turn maintenance mode off', findings: [] },
    );
    await at('2026-11-24T03:00:01Z');
    await at('2026-11-24T03:00:30Z');
    expect(asked).toHaveLength(2);
    expect(told()).not.toContain('ended');
    await at('2026-11-24T03:01:02Z');
    expect(asked).toHaveLength(3);
    expect(told().at(-1)).toBe('ended');
  });
});

describe('runs that wait for their window', () => {
  const bound = (id: string, over: Partial<StoredRun> = {}): Partial<StoredRun> => ({
    id,
    status: 'queued',
    plan: samplePlan({ window: bind }),
    ...over,
  });

  it('are handed on when it opens, one after the other, maintenance mode first', async () => {
    const { at, add, opened, hold } = world();
    add(bound('run-1'));
    add(bound('run-2', { plan: samplePlan({ action: 'maintenance', window: bind, maintenance: onWish }) }));
    await at('2026-11-24T00:59:59Z');
    expect(opened).toEqual([]);
    await at('2026-11-24T01:00:00Z');
    expect(opened).toEqual(['run-2']);
    add(
      bound('run-2', {
        status: 'running',
        plan: samplePlan({ action: 'maintenance', window: bind, maintenance: onWish }),
      }),
    );
    hold('run-2');
    await at('2026-11-24T01:00:05Z');
    expect(opened).toEqual(['run-2']);
    add(
      bound('run-2', {
        status: 'done',
        plan: samplePlan({ action: 'maintenance', window: bind, maintenance: onWish }),
      }),
    );
    hold(null);
    await at('2026-11-24T01:00:10Z');
    expect(opened).toEqual(['run-2', 'run-1']);
  });

  it('are handed on, to be refused, when it was cancelled', async () => {
    const { at, add, opened } = world({ state: 'cancelled', endedAt: '2026-11-23T10:00:00.000Z' });
    add(bound('run-1'));
    await at('2026-11-23T10:00:05Z');
    expect(opened).toEqual(['run-1']);
  });

  it('are warned about once when they will not end in it, with what to do', async () => {
    const { at, add, lines } = world({ state: 'active' }, null);
    const stages = [{ id: 'data', title: 'Data', always: false, steps: [sampleStep({ id: 'data.fill', count: 100 })] }];
    const plan = samplePlan({ window: bind, stages });
    const step = { stepId: 'data.fill', state: 'running', kept: 0, missing: 0, batches: 1, endedAt: null } as const;
    const started = '2026-11-24T01:00:00.000Z';
    add(bound('run-1', { status: 'running', plan, steps: [{ ...step, done: 60, startedAt: started }] }));
    await at('2026-11-24T02:00:00Z');
    expect(lines()).toEqual([]);
    add(bound('run-1', { status: 'running', plan, steps: [{ ...step, done: 61, startedAt: started }] }));
    await at('2026-11-24T02:30:00Z');
    await at('2026-11-24T02:31:00Z');
    expect(lines()).toEqual([
      expect.stringMatching(
        /run-1 will not end in the window win-0a1b2c3d: it needs about 57 min.*30 min are left.*faster run-1.*stop run-1/,
      ),
    ]);
  });
});

const onWish = { window: bind.id, system: 'cluster', on: true, message: 'm', until: null };
