import { findNeededSets } from '../../src/storage/needed-sets.ts';
import { createPageStore } from '../../src/storage/page-store.ts';
import { lookAtSelf } from '../../src/storage/self-look.ts';
import { samplePlan } from '../sample-run.ts';
import { type BotDatabase, createBotDatabase, newRun } from './fresh-bot-database.ts';

let bot: BotDatabase;
beforeAll(async () => {
  bot = await createBotDatabase();
});
afterAll(() => bot.drop());

const look = () => lookAtSelf(bot.database.pool, 'sandbox');
const stored = async (status: string, more: Parameters<typeof newRun>[0] = {}): Promise<string> => {
  const run = newRun({ ...more, plan: samplePlan({ environment: 'sandbox', ...more.plan }) });
  await bot.records.create(run);
  await bot.sql('update tas.run set status = $2, ended_at = case when $2 = $3 then now() end where id = $1', [
    run.id,
    status,
    'done',
  ]);
  return run.id;
};
const later = (run: string, minutes: number) =>
  bot.sql(`update tas.run_event set at = now() - make_interval(mins => $2) where run_id = $1`, [run, minutes]);

it('sees an empty database as well, and what it weighs', async () => {
  const { database, ...rest } = await look();
  expect(Object.values(rest)).toEqual([[], [], [], [], [], []]);
  expect(database.bytes).toBeGreaterThan(1_000_000);
  expect(database.freeBytes === null || database.freeBytes > 0).toBe(true);
});

it('sees runs that nobody takes or carries out, and leases that nobody renews', async () => {
  const [fresh, queued, lost, back] = [
    await stored('queued'),
    await stored('queued'),
    await stored('running'),
    await stored('running'),
  ];
  await later(queued, 20);
  await bot.records.event(lost, 'lost', 'nobody', null);
  await bot.records.event(back, 'lost', 'nobody', null);
  await bot.records.event(back, 'progress', null, null);
  const found = await look();
  expect(found.queued).toEqual([queued]);
  expect(found.lost).toEqual([lost]);
  expect(found.queued).not.toContain(fresh);
  await bot.records.acquireLease('sandbox', lost, null);
  expect((await look()).leases).toEqual([]);
  await bot.sql(`update tas.environment_lease set expires_at = now() - interval '5 minutes'`);
  expect((await look()).leases).toEqual([lost]);
});

it('sees what was not told, what Slack refused, and pages that are not delivered', async () => {
  await bot.sql(
    `insert into tas.notice (topic, to_channel, anew, once, content, added_at, refused) values
      ('told', 'c', true, 'a', '{}', now() - interval '1 hour', null), ('old', 'c', true, 'b', '{}', now() - interval '1 hour', null),
      ('young', 'c', true, 'd', '{}', now(), null), ('refused', 'c', true, 'e', '{}', now(), 'not_in_channel')`,
  );
  await bot.sql(`insert into tas.notice_cursor (notice_id) select id from tas.notice where topic = 'told'`);
  const detail = {
    reason: 'run-failed',
    environment: 'sandbox',
    severity: 'error',
    summary: 's',
    advice: 'a',
    runId: null,
  } as const;
  const pages = createPageStore(bot.database);
  await pages.raise('one', 'run:old', detail, new Date(Date.now() - 3_600_000));
  await pages.raise('two', 'run:young', detail, new Date());
  expect(await look()).toMatchObject({ untold: ['old'], refused: ['refused'], pages: ['run:old'] });
});

it('knows which backup sets runs need: open ones, and changes that can still be undone', async () => {
  const needed = () => findNeededSets(bot.database.pool, 'sandbox', 14);
  await stored('parked', { backupId: 'bak-parked' });
  await stored('done', { backupId: 'bak-in-hold' });
  const over = await stored('done', { backupId: 'bak-over' });
  await bot.sql(`update tas.run set ended_at = now() - interval '15 days' where id = $1`, [over]);
  const plain = await stored('done', { backupId: 'bak-plain' });
  await bot.sql(`update tas.run set action = 'backup' where id = $1`, [plain]);
  const drill = await stored('running');
  await bot.sql(`update tas.run set action = 'drill', subject = 'bak-tried' where id = $1`, [drill]);
  expect([...(await needed())].sort()).toEqual(['bak-in-hold', 'bak-parked', 'bak-tried']);
  expect([...(await findNeededSets(bot.database.pool, 'elsewhere', 14))]).toEqual([]);
});
