import { jest } from '@jest/globals';
import type { NewNotice, NoticeRecords } from '../../src/notices/notice.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { createNoticeStore } from '../../src/storage/notice-store.ts';
import { createOutboxStore } from '../../src/storage/outbox-store.ts';
import { type BotDatabase, createBotDatabase, until } from './fresh-bot-database.ts';

jest.setTimeout(60_000);

let bot: BotDatabase;
let notices: NoticeRecords;
let count = 0;

const open = (): NoticeRecords => createNoticeStore({ database: bot.database, url: bot.url, clock: systemClock });

function line(text: string, over: Partial<NewNotice> = {}): NewNotice {
  count += 1;
  const content = { kind: 'line', text } as const;
  return { topic: 'weather', to: { channel: 'c' }, anew: false, once: `once-${count}`, content, ...over };
}

beforeAll(async () => {
  bot = await createBotDatabase();
});
beforeEach(async () => {
  await bot.sql('truncate tas.notice restart identity');
  notices = open();
});
afterAll(() => bot.drop());

describe('notices in the database', () => {
  it('come back as they were added, in their order', async () => {
    const image = { png: Buffer.from([1, 0, 2, 255]), shows: 'a chart' };
    const page = {
      kind: 'page' as const,
      state: 'raised' as const,
      environment: 'e',
      severity: 'error' as const,
      summary: '<!channel> \u0000 "x"',
      advice: '',
      runId: null,
      users: ['U1'],
      note: null,
    };
    const first = line('rain', { thread: 'run-1', image });
    const second = line('', { to: { user: 'U1' }, anew: true, content: page });
    await notices.add([first, second]);
    const [one, two, ...more] = await notices.list(0, 10);
    expect(more).toEqual([]);
    expect(one).toMatchObject(first);
    expect(two).toMatchObject({ ...second, content: { ...page, summary: '<!channel>  "x"' } });
    expect(two?.id).toBeGreaterThan(one?.id ?? 0);
    expect(await notices.list(one?.id ?? 0, 1)).toEqual([two]);
  });

  it('are added once a key, however many replicas add them at once', async () => {
    const same = line('rain');
    await Promise.all(Array.from({ length: 12 }, () => open().add([same, line('other')])));
    const found = await notices.list(0, 100);
    expect(found.filter(({ once }) => once === same.once)).toHaveLength(1);
    expect(found).toHaveLength(13);
  });

  it('are added all or none', async () => {
    const broken = line('x', { to: { channel: undefined as unknown as string } });
    await expect(notices.add([line('rain'), broken])).rejects.toThrow();
    expect(await notices.list(0, 10)).toEqual([]);
  });

  it('become visible in the order of their ids: a reader that follows the ids misses none', async () => {
    const seen: number[] = [];
    const writing = Promise.all(Array.from({ length: 8 }, () => open().add([line('a'), line('b'), line('c')])));
    let after = 0;
    await until('all of them', async () => {
      for (const { id } of await notices.list(after, 5)) {
        seen.push(id);
        after = id;
      }
      return seen.length >= 24;
    });
    await writing;
    expect((await notices.list(0, 100)).map(({ id }) => id)).toEqual(seen);
  });

  it('wake whoever listens, and no one after the end', async () => {
    let wakes = 0;
    const end = await notices.listen(() => {
      wakes += 1;
    });
    const before = wakes;
    await open().add([line('rain')]);
    await until('a wake', async () => wakes > before);
    await end();
    const after = wakes;
    await open().add([line('sun')]);
    expect(wakes).toBe(after);
  });

  it('of another version are told from those that are understood', async () => {
    await bot.sql(
      `insert into tas.notice (topic, to_channel, anew, once, content, added_at)
       values ('t', 'c', false, 'strange', '{"kind":"poem","lines":[]}', now())`,
    );
    expect(await notices.list(0, 10)).toMatchObject([{ once: 'strange', content: null }]);
  });

  it('are remembered as told up to the cursor, which only goes forward, and those that Slack refused with its word', async () => {
    expect(await notices.cursor()).toBe(0);
    await notices.moveCursor(7);
    await notices.moveCursor(3);
    expect(await notices.cursor()).toBe(7);
    await notices.add([line('rain')]);
    await notices.refuse(1, 'is_archived');
    expect(await bot.sql('select refused from tas.notice')).toEqual([{ refused: 'is_archived' }]);
  });
});

describe('posts about topics', () => {
  it('know the newest of them in a channel, and begin one anew once', async () => {
    const outbox = createOutboxStore(bot.database);
    expect(await outbox.lastPost('weather', 'C1')).toBeNull();
    for (const [name, channel] of [
      ['notice-9', 'C1'],
      ['notice-10', 'C1'],
      ['notice-11', 'C2'],
      ['notice-12', 'C1'],
    ] as const) {
      await outbox.beginPost('weather', name, channel);
      if (name !== 'notice-12') await outbox.finishPost('weather', name, `${name}.ts`);
    }
    expect(await outbox.lastPost('weather', 'C1')).toEqual({ name: 'notice-10', ts: 'notice-10.ts' });
    expect(await outbox.beginAnew('weather', 'notice-10', 'another.ts')).toBe(false);
    expect(await outbox.beginAnew('weather', 'notice-10', 'notice-10.ts')).toBe(true);
    expect(await outbox.post('weather', 'notice-10')).toEqual({ channel: 'C1', ts: null });
    await outbox.finishPost('weather', 'notice-10', 'new.ts');
    expect(await outbox.beginAnew('weather', 'notice-10', 'new.ts')).toBe(false);
  });
});
