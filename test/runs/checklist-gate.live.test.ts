import { jest } from '@jest/globals';
import { type ChecklistBoard, createChecklistBoard } from '../../src/checklists/board.ts';
import type { ChecklistItem } from '../../src/checklists/checklist-item.ts';
import { type ChecklistDesk, createChecklistDesk, createChecklistGates } from '../../src/checklists/desk.ts';
import type { NewNotice } from '../../src/notices/notice.ts';
import type { PlanWindow } from '../../src/plans/plan.ts';
import { newBackupId } from '../../src/plans/plan-actions.ts';
import type { Person } from '../../src/runs/door.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createChecklistStore } from '../../src/storage/checklist-store.ts';
import { item, toldUsers } from '../checklists/sample-checklist.ts';
import { type BotDatabase, createBotDatabase, newRun } from '../storage/fresh-bot-database.ts';
import { Killed, RememberedSteps } from './remembered-steps.ts';
import { createSmallWorld, fillTenants, type SmallWorld, users } from './small-world.ts';

jest.setTimeout(60_000);

const erin: Person = { id: 'UERIN', name: 'erin', roles: ['operator'] };
const tests = item({ id: 'tests', text: 'The tests were looked at', part: 'after', gates: 'end' });
const beforeUp = item({ id: 'before-up', text: 'Somebody looked at the data', part: 'during', gates: 'services-up' });

let bot: BotDatabase;
let world: SmallWorld;
let desk: ChecklistDesk;
let board: ChecklistBoard;
let notices: NewNotice[];
const worlds: SmallWorld[] = [];
let nextWorld = 1;

beforeAll(async () => {
  bot = await createBotDatabase();
});
afterEach(async () => {
  for (const one of worlds.splice(0)) await one.close();
});
afterAll(() => bot.drop());

async function open(items: readonly ChecklistItem[], window?: PlanWindow): Promise<StoredRun> {
  world = await createSmallWorld({
    records: bot.records,
    name: `checklist-${nextWorld++}`,
    users: users(5),
    steps: [fillTenants],
    migration: { after: [{ ...fillTenants, id: 'again', title: 'Services come up' }] },
  });
  worlds.push(world);
  notices = [];
  const clock = { now: () => world.now };
  const sources = {
    records: createChecklistStore({ ...bot, clock }),
    findRun: (id: string) => bot.records.find(id),
    listBackups: async () => [],
  };
  board = createChecklistBoard({
    ...sources,
    clock,
    notices: { add: async (some) => void notices.push(...some) },
    channelOf: () => 'tas-platform',
  });
  desk = createChecklistDesk({ ...sources, board, openRuns: async () => [] });
  Object.assign(world.deps, { checklists: createChecklistGates(sources) });
  const backupId = newBackupId(clock);
  const made = await world.makePlan(world.environment, { action: 'migrate', subject: 'fill' }, backupId);
  const plan = window === undefined ? made : { ...made, window };
  const run = newRun({ plan, backupId, queued: true, checklist: items, expiresAt: new Date('2026-11-20T11:00:00Z') });
  await bot.records.create(run);
  return world.run(run.id);
}

const tick = (run: StoredRun, itemId: string) =>
  desk.tick({ runId: run.id, environment: null }, { itemId, ticked: true }, erin);
const filled = (): number =>
  users(5).filter(({ id }) => (world.people.read('User', String(id)) as { tenant?: unknown } | null)?.tenant).length;

describe('a run that its checklist gates', () => {
  it('waits before its start without holding the environment, and goes on by itself when that is ticked', async () => {
    const run = await open([toldUsers]);
    expect(await world.carryOut(run)).toBe('paused');
    const paused = await world.run(run.id);
    expect(paused.control.pause).toBe('its checklist waits for “Users know”; it goes on by itself when that is ticked');
    expect(await bot.records.leaseHolder(world.environment.name)).toBeNull();
    expect(filled()).toBe(0);
    expect(await tick(run, 'users-told')).toMatchObject({ kind: 'ticked', changed: [{ itemId: 'users-told' }] });
    expect(await world.run(run.id)).toMatchObject({ status: 'running', attempt: 2 });
    expect(await world.carryOut(run, undefined, 2)).toBe('done');
    expect(filled()).toBe(5);
  });

  it('ticked beforehand waits for nothing, and no item holds a run by accident', async () => {
    const run = await open([toldUsers, item({ id: 'other' })]);
    await tick(run, 'users-told');
    expect(await world.carryOut(run)).toBe('done');
    const bare = await open([item({ id: 'other' })]);
    expect(await world.carryOut(bare)).toBe('done');
  });

  it('waits before services come up, holding what it holds, and before its end', async () => {
    const run = await open([beforeUp, tests]);
    expect(await world.carryOut(run)).toBe('paused');
    expect((await bot.records.leaseHolder(world.environment.name))?.runId).toBe(run.id);
    const progress = (await world.run(run.id)).steps;
    expect(progress.filter(({ state }) => state === 'done').map(({ stepId }) => stepId)).toContain('data.fill');
    expect(progress.find(({ stepId }) => stepId === 'after.again')?.state).toBe('waiting');
    await tick(run, 'before-up');
    expect(await world.carryOut(run, undefined, 2)).toBe('paused');
    expect((await world.run(run.id)).control.pause).toContain('The tests were looked at');
    expect((await world.run(run.id)).steps.find(({ stepId }) => stepId === 'after.again')?.state).toBe('done');
    await tick(run, 'tests');
    expect(await world.carryOut(run, undefined, 3)).toBe('done');
  });

  it('resumed by a person comes to the same gate again', async () => {
    const run = await open([toldUsers]);
    await world.carryOut(run);
    await world.door.control({ runId: run.id, what: 'resume', person: erin, seen: null });
    expect(await world.carryOut(run, undefined, 2)).toBe('paused');
    expect(filled()).toBe(0);
  });

  it('goes on when the tick came between the look at the gate and the pause', async () => {
    const run = await open([toldUsers]);
    const { checklists } = world.deps;
    Object.assign(world.deps, {
      checklists: {
        ...checklists,
        pass: async (id: string, point: 'start') => {
          const waits = await checklists?.pass(id, point);
          if (waits?.length) await tick(run, 'users-told');
          return waits;
        },
      },
    });
    expect(await world.carryOut(run)).toBe('paused');
    expect((await world.run(run.id)).status).toBe('paused');
    await board.sweep();
    expect((await world.run(run.id)).status).toBe('running');
    await board.sweep();
    expect(await world.run(run.id)).toMatchObject({ status: 'running', attempt: 2 });
  });

  it('goes on though the checklist of another run cannot be read', async () => {
    const broken = await open([toldUsers]);
    await bot.sql(`update tas.checklist set items = '[{}]' where run_id = $1`, [broken.id]);
    const run = await open([toldUsers]);
    await world.carryOut(run);
    await bot.sql(
      `insert into tas.checklist_tick (run_id, item, ticked, by_id, by_name, at) values ($1, 'users-told', true, 'U1', 'x', now())`,
      [run.id],
    );
    await expect(board.sweep()).rejects.toThrow();
    expect((await world.run(run.id)).status).toBe('running');
    await bot.sql('delete from tas.checklist where run_id = $1', [broken.id]);
  });

  it('is not taken up by a tick when a person paused it', async () => {
    const run = await open([item({ id: 'other' }), tests]);
    await bot.records.move(run.id, 'running', { type: 'started', text: null });
    await bot.records.move(run.id, 'paused', { type: 'paused', text: null }, { pause: 'erin asked for it' });
    await tick(run, 'tests');
    await board.sweep();
    expect((await world.run(run.id)).status).toBe('paused');
  });

  it('whose approval ran out while it waited does not start', async () => {
    const run = await open([toldUsers]);
    await bot.sql('update tas.run set votes_needed = 1 where id = $1', [run.id]);
    await bot.records.addVote(run.id, {
      voter: { id: 'UBOB', name: 'bob' },
      choice: 'approve',
      digest: run.digest,
      reason: null,
      at: '2026-11-20T10:00:00.000Z',
    });
    await world.carryOut(run);
    world.now = new Date('2026-11-20T10:59:59Z');
    await board.sweep();
    expect((await world.run(run.id)).status).toBe('paused');
    world.now = new Date('2026-11-20T11:00:01Z');
    await board.sweep();
    expect(await world.carryOut(run, undefined, 2)).toBe('voided');
    expect((await world.run(run.id)).failure).toMatchObject({ code: 'expired' });
    expect(filled()).toBe(0);
  });

  it('that is bound to a window does not start after it, however late it is ticked', async () => {
    const window = { id: 'window-1', from: '2026-11-20T09:59:00.000Z', until: '2026-11-20T11:00:00.000Z' };
    const run = await open([toldUsers], window);
    expect(await world.carryOut(run)).toBe('paused');
    world.now = new Date('2026-11-20T11:00:01Z');
    await board.sweep();
    expect(await world.carryOut(run, undefined, 2)).toBe('voided');
    expect((await world.run(run.id)).failure?.message).toContain('its maintenance window window-1 ended');
    expect(filled()).toBe(0);
  });

  it('killed at any step goes the same way, and starts once', async () => {
    for (let at = 0, killed = true; killed; at += 1) {
      const run = await open([toldUsers, tests]);
      await tick(run, 'users-told');
      await tick(run, 'tests');
      const steps = new RememberedSteps();
      const first = await world
        .carryOut(run, steps.execution({ at, remembered: at % 2 === 0 }))
        .catch((error: unknown) => {
          expect(error).toBeInstanceOf(Killed);
          return 'killed';
        });
      killed = first === 'killed';
      expect(await world.carryOut(run, steps.execution())).toBe('done');
      expect(filled()).toBe(5);
    }
  });
});

describe('the checklist’s message', () => {
  it('is told once for each look, in the channel of the environment', async () => {
    const run = await open([toldUsers]);
    await board.refresh(run.id);
    await board.refresh(run.id);
    expect(notices).toMatchObject([
      {
        topic: `checklist:${run.id}`,
        to: { channel: 'tas-platform' },
        anew: false,
        content: { kind: 'checklist', runId: run.id },
      },
    ]);
    await tick(run, 'users-told');
    expect(notices).toHaveLength(2);
    expect(new Set(notices.map(({ once }) => once)).size).toBe(2);
    // A click that was refused shows the boxes anew, as they are.
    await desk.tick(
      { runId: run.id, environment: null },
      { itemId: 'users-told', ticked: false },
      { ...erin, roles: ['viewer'] },
    );
    expect(notices).toHaveLength(3);
  });
});
