import { jest } from '@jest/globals';
import type { WindowStore } from '../../src/maintenance/window.ts';
import { createBakeStore } from '../../src/storage/bake-store.ts';
import { createMaintenanceStore } from '../../src/storage/maintenance-store.ts';
import { sampleWindow } from '../maintenance/sample-window.ts';
import { samplePlan } from '../sample-run.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let store: WindowStore;

beforeAll(async () => {
  bot = await createBotDatabase();
  store = createMaintenanceStore(bot.database);
});
afterAll(() => bot.drop());
beforeEach(() => bot.sql('truncate tas.maintenance_window, tas.status_page_post, tas.keeper cascade'));

const at = (time: string): Date => new Date(`2026-11-24T${time}Z`);
const first = sampleWindow({ id: 'win-1' });

describe('a window', () => {
  it('is read as it was stored', async () => {
    const window = sampleWindow({ id: 'win-1', migration: 'space-isolation' });
    expect(await store.create(window)).toBeNull();
    expect(await store.find('win-1')).toEqual(window);
    expect(await store.boundTo('sandbox', 'space-isolation')).toEqual(window);
    expect(await store.boundTo('production', 'space-isolation')).toBeNull();
  });

  it('never overlaps another one of its environment, also when both are asked for at once', async () => {
    const times = { from: '2026-11-24T02:59:00.000Z', to: '2026-11-24T04:00:00.000Z' };
    const made = await Promise.all([store.create(first), store.create({ ...first, id: 'win-2', ...times })]);
    expect(made.filter((other) => other === null)).toHaveLength(1);
    await bot.sql('truncate tas.maintenance_window cascade');
    await store.create(first);
    expect(await store.create({ ...first, id: 'win-3', ...times })).toMatchObject({ id: 'win-1' });
    expect(await store.create({ ...first, id: 'win-4', ...times, environment: 'production' })).toBeNull();
    const right = { from: '2026-11-24T03:00:00.000Z', to: '2026-11-24T04:00:00.000Z' };
    expect(await store.create({ ...first, id: 'win-5', ...right })).toBeNull();
    expect(await store.finish('win-1', 'cancelled', at('00:00:00'), 'no')).toBe(true);
    expect(await store.create({ ...first, id: 'win-6' })).toBeNull();
  });

  it('begins once, early too, and not while another one has not ended', async () => {
    await store.create(first);
    await store.create({ ...first, id: 'win-2', from: '2026-11-24T03:00:00.000Z', to: '2026-11-24T04:00:00.000Z' });
    const started = await Promise.all([store.start('win-1', at('00:30:00')), store.start('win-1', at('00:30:00'))]);
    expect(started.sort()).toEqual([false, true]);
    expect(await store.find('win-1')).toMatchObject({ state: 'active', from: '2026-11-24T00:30:00.000Z' });
    expect(await store.start('win-2', at('03:00:00'))).toBe(false);
    expect(await store.finish('win-1', 'ended', at('03:10:00'), null)).toBe(true);
    expect(await store.finish('win-1', 'ended', at('03:11:00'), null)).toBe(false);
    expect(await store.start('win-2', at('03:10:00'))).toBe(true);
    expect(await store.finish('win-2', 'cancelled', at('03:20:00'), null)).toBe(false);
  });

  it('is kept by one process, and by another one when that is silent', async () => {
    const until = at('01:00:45');
    const kept = await Promise.all(
      ['a', 'b'].map((holder) => store.keep('maintenance', holder, at('01:00:00'), until)),
    );
    expect(kept.sort()).toEqual([false, true]);
    const [{ holder } = { holder: '' }] = await bot.sql('select holder from tas.keeper');
    const silent = holder === 'a' ? 'b' : 'a';
    expect(await store.keep('maintenance', holder as string, at('01:00:05'), at('01:00:50'))).toBe(true);
    expect(await store.keep('maintenance', silent, at('01:00:49'), at('01:01:49'))).toBe(false);
    expect(await store.keep('maintenance', silent, at('01:00:50'), at('01:01:50'))).toBe(true);
  });
});

describe('what a status page is told', () => {
  const post = (name: string, windowId = 'win-1', environment = 'sandbox') => ({
    id: `${windowId}:${name}`,
    windowId,
    environment,
    body: { occasion: name },
  });

  beforeEach(async () => {
    await store.create(first);
    await store.create({ ...first, id: 'win-2', environment: 'production' });
  });

  it('is stored once, taken by one replica, in order, and not while what comes before it waits', async () => {
    await store.addPost(post('started'), at('01:00:00'));
    await store.addPost(post('started'), at('01:00:01'));
    await store.addPost(post('started', 'win-2', 'production'), at('01:00:00'));
    const taken = (await Promise.all([store.claimPosts(at('01:00:02')), store.claimPosts(at('01:00:02'))])).flat();
    expect(taken.map(({ id }) => id).sort()).toEqual(['win-1:started', 'win-2:started']);
    await store.postponePost('win-1:started', at('01:05:00'));
    await store.settlePost('win-2:started', 'delivered');
    expect(await store.claimPosts(at('01:04:59'))).toEqual([]);
    expect(await store.claimPosts(at('01:05:00'))).toMatchObject([{ id: 'win-1:started', attempts: 1 }]);
  });

  it('is overtaken by what is true now while it waits', async () => {
    await store.addPost(post('before:600000'), at('00:50:00'));
    await store.addPost(post('started'), at('01:00:00'));
    expect((await store.claimPosts(at('01:00:01'))).map(({ id }) => id)).toEqual(['win-1:started']);
    await store.addPost(post('before:600000'), at('01:00:02'));
    expect(await store.claimPosts(at('01:00:03'))).toEqual([]);
  });

  it('is overtaken also while it is under way and fails', async () => {
    await store.addPost(post('before:600000'), at('00:50:00'));
    expect(await store.claimPosts(at('00:59:59'))).toHaveLength(1);
    await store.addPost(post('started'), at('01:00:00'));
    await store.postponePost('win-1:before:600000', at('01:00:00'));
    expect((await store.claimPosts(at('01:00:01'))).map(({ id }) => id)).toEqual(['win-1:started']);
    await store.settlePost('win-1:started', 'delivered');
    expect(await store.claimPosts(at('01:30:00'))).toEqual([]);
  });
});

describe('a run that is bound to a window', () => {
  const plan = samplePlan({ window: { id: 'win-1', from: first.from, until: first.to } });
  const workflows = (id: string) =>
    bot.sql('select workflow_uuid from dbos.workflow_status where workflow_uuid like $1', [`${id}%`]);

  it('is not handed to the workers by its votes, but when its window opens, once', async () => {
    await store.create(first);
    const run = newRun({ plan });
    await bot.records.create(run);
    const vote = { voter: { id: 'UBOB', name: 'bob' }, choice: 'approve', digest: run.digest, reason: null } as const;
    const voted = await bot.records.voteAndMove(run.id, { ...vote, at: new Date().toISOString() }, () => 'queued');
    expect(voted).toBe('queued');
    expect(await workflows(run.id)).toEqual([]);
    expect(await store.runsOf('win-1')).toEqual([run.id]);
    expect(await Promise.all([bot.records.openToStart(run.id), bot.records.openToStart(run.id)])).toEqual([true, true]);
    expect(await workflows(run.id)).toHaveLength(1);
  });

  it('without votes waits, too; others start at once', async () => {
    const bound = newRun({ plan, votesNeeded: 0, queued: true });
    const free = newRun({ votesNeeded: 0, queued: true });
    await bot.records.create(bound);
    await bot.records.create(free);
    expect([await workflows(bound.id), (await workflows(free.id)).length]).toEqual([[], 1]);
  });

  it('is found by the window that it turns maintenance mode on for', async () => {
    const wish = { window: 'win-1', system: 'cluster', on: false, message: '', until: null };
    const run = newRun({ plan: samplePlan({ action: 'maintenance', maintenance: wish }) });
    await bot.records.create(run);
    expect(await store.runsOf('win-1')).toContain(run.id);
    expect(await store.runsOf('win-9')).toEqual([]);
    expect(await bot.records.openToStart(run.id)).toBe(false);
  });
});

it('lets one replica have each look after a run', async () => {
  const run = newRun();
  await bot.records.create(run);
  const looks = createBakeStore(bot.database);
  await bot.sql(`update tas.run set status = 'done', ended_at = $2 where id = $1`, [run.id, at('01:00:00')]);
  expect(await looks.endedSince(at('00:59:00'), ['migrate'])).toEqual([run.id]);
  expect(await looks.endedSince(at('01:00:00'), ['migrate'])).toEqual([]);
  expect(await looks.endedSince(at('00:59:00'), ['restore'])).toEqual([]);
  const had = await Promise.all([looks.claim(run.id, 3, at('01:00:00')), looks.claim(run.id, 3, at('01:00:00'))]);
  expect(had.sort()).toEqual([false, true]);
  expect(await looks.read(run.id)).toEqual([]);
  await looks.save(run.id, 3, ['graph is down']);
  expect(await looks.read(run.id)).toEqual([['graph is down']]);
});
