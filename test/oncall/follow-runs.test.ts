import { followRuns, settleDisputes, voteKey } from '../../src/oncall/follow-runs.ts';
import { pageReasons } from '../../src/oncall/page.ts';
import { createPages } from '../../src/oncall/pages.ts';
import { settleDispute } from '../../src/oncall/settle-dispute.ts';
import type { RunEvent, RunEventType, StepGate } from '../../src/runs/run.ts';
import { alice, bob } from '../fake-door.ts';
import { MemoryNotices } from '../memory-notices.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { memoryPageStore } from './memory-page-store.ts';

const erin = { id: 'UERIN', name: 'erin', roles: ['operator'] } as const;
const dana = { id: 'UDANA', name: 'dana', roles: ['operator', 'approver'] } as const;
const secret = 'personal words of alice@example.org';

function world(reasons: readonly (typeof pageReasons)[number][] = pageReasons, down = false) {
  const store = memoryPageStore();
  const events: RunEvent[] = [];
  const clock = { now: () => new Date('2026-11-20T12:00:00.000Z') };
  const failed = sampleRun({
    id: 'run-1',
    status: 'parked',
    reason: secret,
    requester: { id: 'UALICE', name: secret },
    failure: { code: 'unreachable', message: secret, advice: secret, retryable: true },
  });
  const rollback = sampleRun({ id: 'run-2', plan: samplePlan({ action: 'rollback', subject: 'run-1' }) });
  const backup = sampleRun({ id: 'run-3', plan: samplePlan({ action: 'backup', subject: '' }) });
  const deps = {
    store,
    pages: createPages({ store, reasons, clock }),
    events: async (afterId: number, limit: number) => events.filter(({ id }) => id > afterId).slice(0, limit),
    run: async (runId: string) => [failed, rollback, backup].find(({ id }) => id === runId) ?? null,
    servicesDown: async () => down,
  };
  return {
    ...deps,
    store,
    events,
    async happens(...types: (RunEventType | [string, RunEventType])[]) {
      for (const one of types) {
        const [runId, type] = typeof one === 'string' ? ['run-1', one] : one;
        const id = events.length + 1;
        events.push({ id, runId, type, text: secret, at: new Date(Date.UTC(2026, 10, 20, 10, 0, id)).toISOString() });
      }
      await followRuns(deps);
    },
    replay: (from: number) =>
      followRuns({ ...deps, store: { cursor: cursorFrom(from), moveCursor: async () => undefined } }),
    states: () => [...store.pages.values()].map(({ key, state, severity }) => `${key} ${state} ${severity}`),
  };

  /** As a replica that is behind. */
  function cursorFrom(from: number): () => Promise<number> {
    let asked = false;
    return async () => {
      const at = asked ? events.length : from;
      asked = true;
      return at;
    };
  }
}

describe('a run', () => {
  it('that stops calls somebody until it is done, undone or closed, and not only until it is retried', async () => {
    const { happens, states } = world();
    await happens('requested', 'started', 'step-started', 'failed');
    expect(states()).toEqual(['run:run-1 raised error']);
    await happens('resumed', 'step-started', 'progress');
    expect(states()).toEqual(['run:run-1 raised error']);
    await happens('done');
    expect(states()).toEqual(['run:run-1 resolved error']);
  });

  it('that stops with services down is critical', async () => {
    const { happens, states } = world(pageReasons, true);
    await happens('failed');
    expect(states()).toEqual(['run:run-1 raised critical']);
    await happens('closed');
    expect(states()).toEqual(['run:run-1 resolved critical']);
  });

  it('that nobody carries out calls somebody until it gives a sign of life', async () => {
    const { happens, states } = world();
    await happens('lost');
    expect(states()).toEqual(['lost:run-1 raised error']);
    await happens('progress');
    expect(states()).toEqual(['lost:run-1 resolved error']);
  });

  it('that is parked because it was lost is one case, not two', async () => {
    const { happens, states } = world();
    await happens('lost', 'failed');
    expect(states()).toEqual(['lost:run-1 resolved error', 'run:run-1 raised error']);
  });

  it('pages with its ids and codes alone: no names, no reasons, no words of its failure', async () => {
    const { happens, store } = world();
    await happens('failed', 'lost');
    const said = JSON.stringify([...store.pages.values()]);
    expect(said).not.toMatch(/alice|personal/);
    expect(said).toMatch(/migrate space-isolation stopped.*unreachable/);
  });

  it('is followed by any number of replicas to the same end', async () => {
    const { happens, replay, states } = world();
    await happens('failed', 'resumed', 'failed', 'closed');
    expect(states()).toEqual(['run:run-1 resolved error']);
    await replay(0);
    expect(states()).toEqual(['run:run-1 resolved error']);
    await happens('failed');
    await replay(0);
    expect(states()).toEqual(['run:run-1 raised error']);
  });

  it('is settled though the clock of the process that ended it is behind', async () => {
    const { happens, states, events } = world();
    events.push({ id: 1, runId: 'run-1', type: 'failed', text: null, at: '2026-11-20T10:00:05.000Z' });
    events.push({ id: 2, runId: 'run-1', type: 'closed', text: null, at: '2026-11-20T10:00:01.000Z' });
    await happens();
    expect(states()).toEqual(['run:run-1 resolved error']);
  });

  it('pages only for what the configuration names', async () => {
    const { happens, states } = world(['run-lost']);
    await happens('failed', 'lost');
    expect(states()).toEqual(['lost:run-1 raised error']);
  });

  it('that was a backup pages as one that failed', async () => {
    const { happens, store } = world(['backup-failed']);
    await happens(['run-3', 'failed'], 'failed');
    expect([...store.pages.values()]).toMatchObject([{ key: 'run:run-3', reason: 'backup-failed' }]);
  });

  it('that was undone is not watched any more', async () => {
    const { happens, pages, states } = world();
    await pages.raise(
      'bake',
      'bake:run-1',
      { reason: 'bake-failed', environment: 'sandbox', severity: 'error', summary: 's', advice: 'a', runId: 'run-1' },
      new Date('2026-11-20T09:00:00.000Z'),
    );
    await happens(['run-2', 'done']);
    expect(states()).toEqual(['bake:run-1 resolved error']);
  });
});

it('goes through more events than it reads at once', async () => {
  const { happens, states } = world();
  await happens('failed', ...Array.from({ length: 450 }, () => 'progress' as const), 'done');
  expect(states()).toEqual(['run:run-1 resolved error']);
});

describe('a vote', () => {
  it('that is disputed calls somebody, without a name, until a day is over', async () => {
    const { happens, states, store, pages } = world();
    await happens('disputed', 'closed');
    expect(states()).toEqual(['disputed:run-1 raised critical']);
    expect(JSON.stringify([...store.pages.values()])).not.toContain(secret);
    await settleDisputes({ store, pages, now: new Date('2026-11-21T09:59:00.000Z') });
    expect(states()).toEqual(['disputed:run-1 raised critical']);
    await settleDisputes({ store, pages, now: new Date('2026-11-21T10:01:00.000Z') });
    expect(states()).toEqual(['disputed:run-1 resolved critical']);
  });

  it('given by break-glass calls somebody, without a name or a reason, until what it starts is over', async () => {
    const { happens, states, store } = world();
    await happens('voted', 'glass-broken', 'approved', 'started');
    expect(states()).toEqual(['glass:run-1 raised critical']);
    expect(JSON.stringify([...store.pages.values()])).not.toContain(secret);
    await happens('done');
    expect(states()).toEqual(['glass:run-1 resolved critical']);
  });

  it('that was disputed is settled by an operator who had no part in it, and by nobody else', async () => {
    const { happens, states, store, pages } = world();
    await happens('disputed');
    const notices = new MemoryNotices();
    const deps = { store, pages, notices, channelOf: () => 'tas-platform' };
    const at = '2026-11-20T10:00:00.000Z';
    const vote = { voter: bob, choice: 'approve', digest: 'd', reason: null, at } as const;
    const run = sampleRun({ id: 'run-1', requester: alice, votes: [vote] });
    const gate = { id: 1, step: run.plan.stages[0]?.steps[0], digest: 'd', votesNeeded: 1, state: 'approved' };
    const voted = { ...gate, askedAt: at, expiresAt: at, votes: [{ ...vote, voter: dana }] } as StepGate;
    const disputed = { ...run, control: { ...run.control, gates: [voted] } };
    for (const [person, says] of [
      [{ ...erin, roles: ['approver'] }, /may not do this/],
      [alice, /had a part in run-1/],
      [{ ...bob, roles: ['operator', 'approver'] }, /had a part in run-1/],
      [dana, /had a part in run-1/],
    ] as const) {
      expect(await settleDispute(deps, disputed, person)).toMatchObject({
        code: 'not-allowed',
        message: expect.stringMatching(says),
      });
    }
    expect(states()).toEqual(['disputed:run-1 raised critical']);
    expect(notices.all).toEqual([]);
    expect(await settleDispute(deps, disputed, erin)).toBeNull();
    expect(states()).toEqual(['disputed:run-1 resolved critical']);
    expect(notices.all).toMatchObject([
      {
        to: { channel: 'tas-platform' },
        content: { text: expect.stringContaining('erin has looked into'), runId: 'run-1' },
      },
    ]);
    expect(await settleDispute(deps, disputed, erin)).toMatchObject({ code: 'stale' });
    expect(notices.all).toHaveLength(1);
    await happens('disputed');
    expect(states()).toEqual(['disputed:run-1 raised critical']);
    expect(await settleDispute(deps, disputed, erin)).toBeNull();
    expect(notices.all).toHaveLength(2);
  });

  it.each(['approved', 'rejected', 'expired', 'closed'] as const)(
    'that is wanted is no longer when it is %s',
    async (type) => {
      const { happens, states, pages } = world();
      await pages.raise('vote-waiting:run-1', voteKey('run-1'), {
        reason: 'vote-waiting',
        environment: 'production',
        severity: 'warning',
        summary: 'production: a vote is wanted',
        advice: 'Vote.',
        runId: 'run-1',
      });
      expect(states()).toEqual(['vote:run-1 raised warning']);
      await happens(type);
      expect(states()).toEqual(['vote:run-1 resolved warning']);
    },
  );
});
