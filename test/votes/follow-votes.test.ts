import type { Vote } from '../../src/approvals/vote.ts';
import type { NewNotice } from '../../src/notices/notice.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createFollowVotes } from '../../src/votes/follow-votes.ts';
import { sampleRun } from '../sample-run.ts';

const requestedAt = '2026-11-20T10:00:00.000Z';
const expiresAt = '2026-11-20T11:00:00.000Z';

function world(over: Partial<StoredRun>, production = false) {
  const run: StoredRun = {
    ...sampleRun({ requestedAt, expiresAt, votesNeeded: 2 }),
    sequenceBase: '1',
    attempt: 1,
    ...over,
  };
  const added: NewNotice[][] = [];
  const escalated: string[] = [];
  const looks: string[] = [];
  let now = new Date(requestedAt);
  const deps = {
    records: {
      find: async (id: string) => (id === run.id ? run : null),
      votedSince: async (at: Date) => {
        looks.push(at.toISOString());
        const given = [...run.votes, ...run.control.gates.flatMap((gate) => gate.votes)];
        return given
          .filter((vote) => Date.parse(vote.at) > at.getTime())
          .map(({ digest, voter }) => ({ runId: run.id, digest, voterId: voter.id }));
      },
      list: async ({ statuses }: { statuses?: readonly string[] }) =>
        statuses === undefined || statuses.includes(run.status) ? [run] : [],
    },
    notices: { add: async (notices: readonly NewNotice[]) => void added.push([...notices]) },
    environmentOf: () => ({ channel: 'tas-platform', production }),
    escalate: async (_: StoredRun, digest: string) => void escalated.push(digest),
    clock: { now: () => now },
  };
  let votes = createFollowVotes(deps);
  return {
    run,
    escalated,
    looks,
    notices: () => added.flat(),
    asked: () => added.length,
    restart: () => {
      votes = createFollowVotes(deps);
    },
    async at(time: string) {
      now = new Date(`2026-11-20T${time}:00.000Z`);
      await votes.giveReceipts();
      await votes.remind();
    },
  };
}

const bobs = (over: Partial<Vote> = {}): Vote => ({
  voter: { id: 'UBOB', name: 'bob' },
  choice: 'approve',
  digest: sampleRun({}).digest,
  reason: null,
  at: '2026-11-20T10:05:00.000Z',
  ...over,
});

it('gives each voter a receipt, alone, by a name that is told once', async () => {
  const carols = bobs({ voter: { id: 'UCAROL', name: 'carol' }, choice: 'reject' });
  const here = world({ status: 'rejected', votes: [bobs(), carols] });
  await here.at('10:06');
  expect(here.notices()).toMatchObject([
    {
      to: { user: 'UBOB' },
      once: `receipt:${here.run.id}:${here.run.digest}:UBOB`,
      content: { kind: 'vote-receipt', choice: 'approve', about: 'migrate space-isolation', digest: here.run.digest },
    },
    { to: { user: 'UCAROL' }, content: { choice: 'reject' } },
  ]);
  await here.at('10:07');
  expect(here.asked()).toBe(1);
  here.restart();
  await here.at('10:08');
  // Another process asks again: the same names are told once.
  expect(new Set(here.notices().map(({ once }) => once)).size).toBe(2);
});

it('looks back a day at first, and then only to a minute before it looked last', async () => {
  const here = world({ status: 'planned' });
  await here.at('10:06');
  await here.at('10:07');
  here.restart();
  await here.at('10:08');
  expect(here.looks).toEqual(['2026-11-19T10:06:00.000Z', '2026-11-20T10:05:00.000Z', '2026-11-19T10:08:00.000Z']);
});

it('sends no receipts of a time long past, as after an upgrade', async () => {
  const here = world({ status: 'done', votes: [bobs({ at: '2026-11-18T10:05:00.000Z' })] });
  await here.at('10:06');
  expect(here.notices()).toEqual([]);
});

it('reminds once in the thread, from half of the time on and not when it is over', async () => {
  const here = world({ status: 'planned', votes: [bobs({ at: '2026-11-18T10:05:00.000Z' })] });
  await here.at('10:29');
  expect(here.notices()).toEqual([]);
  await here.at('10:30');
  await here.at('10:40');
  expect(here.notices()).toMatchObject([
    {
      to: { channel: 'tas-platform' },
      thread: here.run.id,
      once: `reminder:${here.run.id}:${here.run.digest}`,
      content: { kind: 'vote-wanted', votes: 1, votesNeeded: 2, expiresAt },
    },
  ]);
  const late = world({ status: 'planned' });
  await late.at('11:00');
  expect(late.notices()).toEqual([]);
});

it('reminds nobody of what needs no vote, or was decided', async () => {
  for (const over of [{ status: 'planned', votesNeeded: 0 }, { status: 'queued' }, { status: 'paused' }] as const) {
    const here = world(over);
    await here.at('10:45');
    expect(here.notices()).toEqual([]);
    expect(here.escalated).toEqual([]);
  }
});

it('calls somebody at three quarters, in production and where a window waits', async () => {
  const production = world({ status: 'planned' }, true);
  await production.at('10:44');
  expect(production.escalated).toEqual([]);
  await production.at('10:45');
  expect(production.escalated).toEqual([production.run.digest]);
  const staging = world({ status: 'planned' });
  await staging.at('10:45');
  expect(staging.escalated).toEqual([]);
  const plan = { ...staging.run.plan, window: { id: 'win-1', from: expiresAt, until: expiresAt } };
  const bound = world({ status: 'planned', plan });
  await bound.at('10:45');
  expect(bound.escalated).toEqual([bound.run.digest]);
});
