import { jest } from '@jest/globals';
import { decide } from '../../src/approvals/decide.ts';
import type { Vote } from '../../src/approvals/vote.ts';
import { mayMove, type RunStatus, runStatuses } from '../../src/runs/run-status.ts';
import type { Finding } from '../../src/systems/finding.ts';
import { sampleFindings, samplePlan } from '../sample-run.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterAll(() => bot.drop());

const event = { type: 'progress', text: null } as const;
const eventsOf = async (runId: string): Promise<string[]> =>
  (await bot.sql('select type from tas.run_event where run_id = $1 order by id', [runId])).map(
    ({ type }) => type as string,
  );
const workflowsOf = async (runId: string): Promise<string[]> =>
  (
    await bot.sql(`select workflow_uuid as id from dbos.workflow_status where workflow_uuid like $1 order by 1`, [
      `${runId}%`,
    ])
  ).map(({ id }) => id as string);

async function stored(over: Parameters<typeof newRun>[0] = {}): Promise<string> {
  const run = newRun(over);
  await bot.records.create(run);
  return run.id;
}

/** A stored run in a status that the table of moves leads to by itself or not. */
async function storedAs(status: RunStatus): Promise<string> {
  const id = await stored();
  await bot.sql('update tas.run set status = $2 where id = $1', [id, status]);
  return id;
}

function voteOf(id: string, digest: string, choice: Vote['choice'] = 'approve'): Vote {
  return { voter: { id, name: id.toLowerCase() }, choice, digest, reason: null, at: new Date().toISOString() };
}

describe('a stored run', () => {
  it('is read as it was asked for, every step waiting', async () => {
    const run = newRun({ reason: 'because', backupId: 'bak-1' });
    await bot.records.create(run);
    const found = await bot.records.find(run.id);
    expect(found).toMatchObject({
      id: run.id,
      status: 'planned',
      environment: 'sandbox',
      plan: run.plan,
      digest: run.digest,
      requester: { id: 'UALICE', name: 'alice' },
      reason: 'because',
      requestedAt: run.requestedAt.toISOString(),
      expiresAt: run.expiresAt.toISOString(),
      startedAt: null,
      endedAt: null,
      votes: [],
      findings: [],
      failure: null,
      backupId: 'bak-1',
      undoneBy: null,
      votesNeeded: 1,
      sequenceBase: '1700000000000000',
      attempt: 1,
    });
    expect(found?.steps.map(({ stepId, state }) => `${stepId} ${state}`)).toEqual([
      'data.fill-users waiting',
      'data.make-spaces waiting',
      'records.add-space-id waiting',
    ]);
    expect(await eventsOf(run.id)).toEqual(['requested']);
    expect(await bot.records.find('run-nowhere')).toBeNull();
  });

  it('is enqueued with its row when nobody needs to vote, and not when its row fails', async () => {
    const id = await stored({ queued: true });
    expect(await workflowsOf(id)).toEqual([id]);
    await expect(bot.records.create(newRun({ id, queued: true }))).rejects.toThrow();
    expect(await workflowsOf(id)).toEqual([id]);
    expect(await eventsOf(id)).toEqual(['requested']);
  });

  it('is listed newest first, by environment and status', async () => {
    const plan = samplePlan({ environment: 'listed' });
    const old = await stored({ plan, requestedAt: new Date('2026-01-01') });
    const middle = await stored({ plan, requestedAt: new Date('2026-01-02'), queued: true });
    const fresh = await stored({ plan, requestedAt: new Date('2026-01-03') });
    const list = async (filter: Parameters<typeof bot.records.list>[0]) =>
      (await bot.records.list(filter)).map(({ id }) => id);
    expect(await list({ environment: 'listed', limit: 9 })).toEqual([fresh, middle, old]);
    expect(await list({ environment: 'listed', limit: 2 })).toEqual([fresh, middle]);
    expect(await list({ environment: 'listed', statuses: ['planned'], limit: 9 })).toEqual([fresh, old]);
    expect(await list({ environment: 'elsewhere', limit: 9 })).toEqual([]);
    expect(await list({ statuses: [], limit: 9 })).toEqual([]);
  });
});

describe('a move', () => {
  it.each(runStatuses.flatMap((from) => runStatuses.map((to) => [from, to] as const)))(
    '%s → %s goes by the table, with its event or without a trace',
    async (from, to) => {
      const id = await storedAs(from);
      expect(await bot.records.move(id, to, event)).toBe(mayMove(from, to));
      expect((await bot.records.find(id))?.status).toBe(mayMove(from, to) ? to : from);
      expect(await eventsOf(id)).toEqual(mayMove(from, to) ? ['requested', 'progress'] : ['requested']);
    },
  );

  it('records when a run first started and when it ended, and keeps why it failed', async () => {
    const id = await storedAs('queued');
    await bot.records.move(id, 'running', event);
    const started = (await bot.records.find(id))?.startedAt;
    expect(started).not.toBeNull();
    const failure = { code: 'unreachable', message: 'm', advice: 'a', retryable: true } as const;
    await bot.records.move(id, 'parked', event, { failure });
    expect(await bot.records.find(id)).toMatchObject({ status: 'parked', failure, endedAt: expect.any(String) });
    expect(await bot.records.enqueueRetry(id)).toBe(true);
    expect(await bot.records.find(id)).toMatchObject({
      status: 'running',
      failure: null,
      endedAt: null,
      attempt: 2,
      startedAt: started,
    });
    expect(await workflowsOf(id)).toEqual([`${id}.2`]);
  });

  it('happens once when twenty ask for it at once', async () => {
    const id = await storedAs('queued');
    const answers = await Promise.all(Array.from({ length: 20 }, () => bot.records.move(id, 'running', event)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await eventsOf(id)).toEqual(['requested', 'progress']);
  });

  it('of a run that does not exist is refused', async () => {
    expect(await bot.records.move('run-nowhere', 'queued', event)).toBe(false);
    expect(await bot.records.enqueueRetry('run-nowhere')).toBe(false);
  });

  it('by retry is for parked runs only, and once', async () => {
    for (const status of runStatuses.filter((one) => one !== 'parked')) {
      expect(await bot.records.enqueueRetry(await storedAs(status))).toBe(false);
    }
    const id = await storedAs('parked');
    const answers = await Promise.all(Array.from({ length: 8 }, () => bot.records.enqueueRetry(id)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await workflowsOf(id)).toEqual([`${id}.2`]);
  });

  it('expires what is overdue and nothing else', async () => {
    const late = await stored({ expiresAt: new Date('2026-02-01T00:00:00Z') });
    const open = await stored({ expiresAt: new Date('2026-03-01T00:00:01Z') });
    const queued = await stored({ expiresAt: new Date('2026-02-01T00:00:00Z'), queued: true });
    expect(await bot.records.expireOverdue(new Date('2026-03-01T00:00:00Z'))).toBe(1);
    const statuses = await Promise.all([late, open, queued].map(async (id) => (await bot.records.find(id))?.status));
    expect(statuses).toEqual(['expired', 'planned', 'queued']);
    expect(await eventsOf(late)).toEqual(['requested', 'expired']);
  });
});

describe('votes', () => {
  it('of twenty people at once are each counted once, and the run is enqueued exactly once', async () => {
    const run = newRun({ votesNeeded: 5 });
    await bot.records.create(run);
    const voters = Array.from({ length: 20 }, (_, i) => `U${i % 10}`);
    const answers = await Promise.all(
      voters.map((id) =>
        bot.records.voteAndMove(run.id, voteOf(id, run.digest), (votes) =>
          decide(votes, run.digest, ['UALICE'], 5, new Date()),
        ),
      ),
    );
    expect(answers.filter((answer) => answer === 'queued')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'wait')).toHaveLength(4);
    expect(answers.filter((answer) => answer === 'doubled' || answer === 'over')).toHaveLength(15);
    const found = await bot.records.find(run.id);
    expect(found?.status).toBe('queued');
    expect(found?.votes).toHaveLength(5);
    expect(new Set(found?.votes.map(({ voter }) => voter.id)).size).toBe(5);
    expect(await workflowsOf(run.id)).toEqual([run.id]);
    expect(await eventsOf(run.id)).toEqual(['requested', ...Array(5).fill('voted'), 'approved']);
  });

  it('for and against at once end in one decision', async () => {
    const run = newRun();
    await bot.records.create(run);
    const cast = (id: string, choice: Vote['choice']) =>
      bot.records.voteAndMove(run.id, voteOf(id, run.digest, choice), (votes) =>
        decide(votes, run.digest, ['UALICE'], 1, new Date()),
      );
    const answers = await Promise.all([cast('UBOB', 'approve'), cast('UDANA', 'reject')]);
    expect(answers).toContain('over');
    const status = (await bot.records.find(run.id))?.status;
    expect(await workflowsOf(run.id)).toEqual(status === 'queued' ? [run.id] : []);
    expect(['queued', 'rejected']).toContain(status);
  });

  it('leave nothing behind when the decision fails', async () => {
    const run = newRun();
    await bot.records.create(run);
    const broken = bot.records.voteAndMove(run.id, voteOf('UBOB', run.digest), () => {
      throw new Error('no');
    });
    await expect(broken).rejects.toThrow('no');
    expect((await bot.records.find(run.id))?.votes).toEqual([]);
    expect(await eventsOf(run.id)).toEqual(['requested']);
  });

  it('on a run that does not wait change nothing', async () => {
    for (const status of runStatuses.filter((one) => one !== 'planned')) {
      const id = await storedAs(status);
      expect(await bot.records.voteAndMove(id, voteOf('UBOB', 'd'), () => 'queued')).toBe('over');
      expect((await bot.records.find(id))?.votes).toEqual([]);
    }
    expect(await bot.records.voteAndMove('run-nowhere', voteOf('UBOB', 'd'), () => 'queued')).toBe('over');
  });
});

describe('what a run leaves', () => {
  it('are findings, the later one of a check in place of the earlier', async () => {
    const id = await stored();
    await bot.records.addFindings(id, sampleFindings);
    const again: Finding = {
      check: 'unique-tenants',
      title: 'No two users share a tenant',
      status: 'passed',
      count: 0,
      samples: [],
    };
    await bot.records.addFindings(id, [again]);
    await bot.records.addFindings(id, []);
    const findings = (await bot.records.find(id))?.findings ?? [];
    expect(findings).toHaveLength(sampleFindings.length);
    expect(findings.filter(({ check }) => check === 'unique-tenants')).toEqual([again]);
    await bot.records.addFindings(id, sampleFindings);
    expect((await bot.records.find(id))?.findings).toEqual(sampleFindings);
  });

  it('is the progress of steps, the first start kept', async () => {
    const id = await stored();
    const step = { stepId: 'data.fill-users', done: 10, kept: 1, missing: 2, batches: 1, endedAt: null };
    await bot.records.saveStep(id, { ...step, state: 'running', startedAt: '2026-11-20T10:00:00.000Z' });
    await bot.records.saveStep(id, {
      ...step,
      state: 'done',
      done: 5_000_000_000,
      startedAt: '2026-11-20T10:05:00.000Z',
      endedAt: '2026-11-20T10:06:00.000Z',
    });
    expect((await bot.records.find(id))?.steps[0]).toEqual({
      ...step,
      state: 'done',
      done: 5_000_000_000,
      startedAt: '2026-11-20T10:00:00.000Z',
      endedAt: '2026-11-20T10:06:00.000Z',
    });
  });

  it('are held values, each once, by run and field', async () => {
    const [one, other] = [await stored(), await stored()];
    const field = { system: 'graph', collection: 'User', field: 'tenant' };
    await bot.records.saveHolds(one, field, ['t1', 't2']);
    await bot.records.saveHolds(one, field, ['t2', 't3']);
    await bot.records.saveHolds(one, field, []);
    expect(await bot.records.held(one, field, ['t1', 't3', 't9'])).toEqual(new Set(['t1', 't3']));
    expect(await bot.records.held(one, { ...field, field: 'space' }, ['t1'])).toEqual(new Set());
    expect(await bot.records.held(other, field, ['t1'])).toEqual(new Set());
  });

  it('is who undid it, also by a restore, and that can be taken back', async () => {
    const plan = samplePlan({ environment: 'restored' });
    const [undo, before, after, validation] = [
      await stored({ plan }),
      await stored({ plan }),
      await stored({ plan }),
      await stored({ plan: { ...plan, action: 'validate' } }),
    ];
    const ended = `update tas.run set status = 'done', ended_at = $2 where id = $1`;
    await bot.sql(ended, [before, '2026-01-01']);
    await bot.sql(ended, [after, '2026-01-03']);
    await bot.sql(ended, [validation, '2026-01-03']);
    await bot.records.markSuperseded('restored', new Date('2026-01-02'), undo);
    const undoneBy = async (id: string) => (await bot.records.find(id))?.undoneBy;
    expect(await Promise.all([before, after, validation].map(undoneBy))).toEqual([null, undo, null]);
    await bot.records.markUndone(after, null);
    expect(await undoneBy(after)).toBeNull();
  });

  it('is when each system was last seen up', async () => {
    await bot.records.sawUp('sandbox', 'graph', new Date('2026-01-01T00:00:00Z'));
    await bot.records.sawUp('sandbox', 'graph', new Date('2026-01-02T00:00:00Z'));
    expect(await bot.records.lastUp('sandbox')).toEqual(new Map([['graph', '2026-01-02T00:00:00.000Z']]));
    expect((await bot.records.lastUp('elsewhere')).size).toBe(0);
  });
});
