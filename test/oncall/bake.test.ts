import type { NewNotice } from '../../src/notices/notice.ts';
import { type BakeDeps, bake } from '../../src/oncall/bake.ts';
import { pageReasons } from '../../src/oncall/page.ts';
import { createPages } from '../../src/oncall/pages.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createLogger } from '../../src/shared/logger.ts';
import type { Load, System } from '../../src/systems/system.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { memoryPageStore } from './memory-page-store.ts';

const end = Date.parse('2026-11-20T10:00:00.000Z');

function world(over: Partial<StoredRun> = {}) {
  let now = end;
  let holder: object | null = null;
  const ups: boolean[] = [];
  const load: Load = { strain: 0, why: null };
  let budget = load;
  let violations = 0;
  const looks = new Map<string, readonly string[] | null>();
  const lines: string[] = [];
  const notices = new Map<string, NewNotice>();
  const store = memoryPageStore();
  const clock = { now: () => new Date(now) };
  const run = {
    ...sampleRun({ id: 'run-1', status: 'done', endedAt: new Date(end).toISOString() }),
    ...over,
  } as StoredRun;
  const graph = {
    name: 'graph',
    type: 'neo4j',
    checkHealth: async () => ({ up: ups.shift() ?? true, version: null, latencyMs: 1, note: 'nobody listens' }),
    violations: async () => ({ count: violations, samples: [] }),
  } as unknown as System;
  const metrics = {
    name: 'metrics',
    type: 'prometheus',
    checkHealth: async () => ({ up: true, version: '3', latencyMs: 1 }),
    load: async () => budget,
  } as unknown as System;
  const check = {
    id: 'cheap',
    title: 'Users without a tenant',
    advice: '',
    severity: 'failed',
    standing: true,
  } as const;
  const deps: BakeDeps = {
    records: {
      find: async () => run,
      leaseHolder: async () => holder as never,
      event: async (_run, type, text, once) => {
        if (!lines.some((line) => line.startsWith(`${once} `))) lines.push(`${once} ${type} ${text}`);
      },
    },
    environments: new Map([
      [
        'sandbox',
        {
          name: 'sandbox',
          channel: 'tas-platform',
          systems: new Map([
            ['graph', graph],
            ['metrics', metrics],
          ]),
          checks: async () => new Map([['cheap', { ...check, system: 'graph', violations: 'MATCH …' }]]),
        },
      ],
    ]),
    looks: {
      endedSince: async (since, actions) =>
        Date.parse(run.endedAt ?? '') > since.getTime() && actions.includes(run.plan.action) ? [run.id] : [],
      claim: async (runId, minute) =>
        !looks.has(`${runId}:${minute}`) && looks.set(`${runId}:${minute}`, null) !== null,
      save: async (runId, minute, wrong) => void looks.set(`${runId}:${minute}`, wrong),
      read: async () => [...looks.values()].filter((wrong) => wrong !== null),
    },
    pages: createPages({ store, reasons: pageReasons, clock }),
    notices: {
      async add(all) {
        for (const one of all) notices.set(one.once, one);
      },
    },
    minutes: 30,
    checks: ['cheap', 'one that is not there'],
    clock,
    logger: createLogger('silent'),
  };
  return {
    deps,
    ups,
    lines,
    looks,
    store,
    notices: () => [...notices.values()],
    set: (state: { budget?: Load; violations?: number; holder?: object | null }) => {
      budget = state.budget ?? budget;
      violations = state.violations ?? violations;
      holder = state.holder === undefined ? holder : state.holder;
    },
    async minute(at: number) {
      now = end + at * 60_000 + 1;
      await bake(deps);
    },
  };
}

describe('after a run', () => {
  it('is looked each minute, once whatever the number of replicas, and said at the end that all was well', async () => {
    const { deps, minute, looks, lines, notices } = world();
    for (let at = 0; at < 30; at += 1) {
      await minute(at);
      await bake(deps);
    }
    expect(looks.size).toBe(30);
    await minute(30);
    await minute(31);
    expect(lines).toEqual(['bake:end watched watched for 30 min: all well in 30 looks']);
    expect(notices()).toEqual([]);
  });

  it('calls somebody with what to do when a system is down, and settles it when it is up again', async () => {
    const { minute, ups, notices, store, lines } = world();
    ups.push(false, false);
    await minute(3);
    const [page] = await store.open(null);
    expect(page).toMatchObject({ key: 'bake:run-1', reason: 'bake-failed', severity: 'error' });
    expect(page?.advice).toMatch(/\/tas rollback run-1/);
    expect(notices()).toMatchObject([
      {
        to: { channel: 'tas-platform' },
        anew: true,
        content: { text: expect.stringMatching(/graph is down.*rollback run-1/) },
      },
    ]);
    ups.push(false, false);
    await minute(4);
    expect(notices()[1]).toMatchObject({ anew: false });
    await minute(5);
    expect(await store.open(null)).toEqual([]);
    await minute(30);
    expect(lines[0]).toMatch(/not well in 2 of 3 looks, not looked at for 27 min; well at the end/);
  });

  it('wakes nobody for one lost packet', async () => {
    const { minute, ups, notices } = world();
    ups.push(false, true);
    await minute(1);
    expect(notices()).toEqual([]);
  });

  it('sees a burnt error budget and a check that fails', async () => {
    const { minute, set, notices } = world();
    set({ budget: { strain: 1.5, why: 'errors are 3 of 2' }, violations: 4 });
    await minute(0);
    expect(notices()).toMatchObject([
      { content: { text: expect.stringMatching(/errors are 3 of 2; Users without a tenant: 4/) } },
    ]);
  });

  it('does not look while another run is at work there: what is down may be down on purpose', async () => {
    const { minute, set, looks, ups, notices } = world();
    set({ holder: { runId: 'run-2' } });
    ups.push(false, false);
    await minute(2);
    expect([looks.size, notices()]).toEqual([0, []]);
  });

  it.each([
    ['was undone', { undoneBy: 'run-2' }],
    ['only read', { plan: samplePlan({ stages: [] }) }],
    ['was a backup', { plan: samplePlan({ action: 'backup' }) }],
  ])('is not looked where it %s', async (_what, over) => {
    const { minute, looks, lines } = world(over);
    await minute(2);
    await minute(30);
    expect([looks.size, lines]).toEqual([0, []]);
  });

  it('says nothing of what nobody watched because the bot was away for long', async () => {
    const { minute, lines } = world();
    await minute(59);
    expect(lines).toEqual(['bake:end watched nobody could watch for 30 min']);
    const late = world();
    await late.minute(61);
    expect(late.lines).toEqual([]);
  });
});
