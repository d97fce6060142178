import type { NewNotice } from '../../src/notices/notice.ts';
import type { EnvironmentView, Person, Refusal } from '../../src/runs/door.ts';
import type { ScheduleStore } from '../../src/schedules/schedule.ts';
import {
  createScheduleDesk,
  type NewSchedule,
  type ScheduleDesk,
  type ScheduleView,
} from '../../src/schedules/schedule-desk.ts';
import { memoryScheduleStore } from './memory-schedule-store.ts';

const alice: Person = { id: 'UALICE', name: 'alice', roles: ['operator'] };
const bob: Person = { id: 'UBOB', name: 'bob', roles: ['operator'] };
const viewer: Person = { id: 'UVERA', name: 'vera', roles: ['viewer'] };
const now = new Date('2026-11-22T12:00:00Z');
const wanted: NewSchedule = {
  environment: 'production',
  action: 'backup',
  cron: '0 3 * * *',
  zone: 'Europe/Berlin',
  quiet: false,
  person: alice,
};

let store: ScheduleStore;
let desk: ScheduleDesk;
let told: [unknown, string][];
beforeEach(() => {
  store = memoryScheduleStore();
  told = [];
  desk = createScheduleDesk({
    store,
    notices: {
      add: async (notices: readonly NewNotice[]) =>
        void told.push(
          ...notices.map(({ to, content }): [unknown, string] => [to, content.kind === 'line' ? content.text : '']),
        ),
    },
    environments: [{ name: 'production', channel: 'tas-platform', production: true } satisfies EnvironmentView],
    clock: { now: () => now },
  });
});

async function added(): Promise<ScheduleView> {
  const view = await desk.add(wanted);
  if ('kind' in view) throw new Error(view.message);
  told = [];
  return view;
}

describe('whoever edits schedules', () => {
  it('sees the next three times of a new one, and the channel is told of it', async () => {
    const view = (await desk.add(wanted)) as ScheduleView;
    expect(view.id).toMatch(/^sch-[0-9a-f]{8}$/);
    expect(view.next).toHaveLength(3);
    expect(view.next[0]).toMatch(/03:00/);
    expect(view.nextAt).toBe('2026-11-23T02:00:00.000Z');
    expect(told).toEqual([
      [{ channel: 'tas-platform' }, expect.stringMatching(/alice added backup of production at 0 3 \* \* \*/)],
    ]);
  });

  it('pauses, resumes, runs and removes it in the open, and does not become the one who asks', async () => {
    const { id } = await added();
    expect(await desk.change('pause', id, bob)).toMatchObject({ paused: true, nextAt: null, next: [] });
    expect(await store.find(id)).toMatchObject({
      pausedBy: { id: 'UBOB' },
      editor: { id: 'UALICE' },
      editors: ['UALICE'],
    });
    expect(await desk.change('run', id, bob)).toMatchObject({ code: 'wrong-use', message: `${id} is paused.` });
    expect(await desk.change('resume', id, bob)).toMatchObject({
      paused: false,
      pausedBy: null,
      nextAt: '2026-11-23T02:00:00.000Z',
    });
    expect(await desk.change('run', id, bob)).toMatchObject({ nextAt: now.toISOString(), editor: { id: 'UALICE' } });
    await store.claim(id, now, null, now);
    expect(await store.runBy(id, now)).toMatchObject({ id: 'UBOB', name: 'bob' });
    await desk.change('remove', id, bob);
    expect(await store.find(id)).toBeNull();
    const words = ['paused', 'resumed', 'asked for now', 'removed'].map((word) =>
      expect.stringContaining(`bob ${word}`),
    );
    expect(told.map(([, text]) => text)).toEqual(words);
  });

  it.each<[string, Partial<NewSchedule>, RegExp]>([
    ['a minute that there is not', { cron: '61 3 * * *' }, /61 .*minute/],
    ['too often', { cron: '* * * * *' }, /at most every 5 minutes/],
    ['a day that never comes', { cron: '0 0 30 2 *' }, /impossible|never comes due/],
    ['a zone that there is not', { zone: 'Europe/Atlantis' }, /There is no time zone Europe\/Atlantis/],
  ])('is refused %s, and nothing is kept or told', async (_, wrong, says) => {
    const refusal = (await desk.add({ ...wanted, ...wrong })) as Refusal;
    expect(refusal).toMatchObject({ kind: 'refused', code: 'wrong-use', message: expect.stringMatching(says) });
    expect(refusal.advice).toContain('Nothing was changed.');
    expect(await store.list(null)).toEqual([]);
    expect(told).toEqual([]);
  });

  it('has to be an operator; others may look', async () => {
    const { id } = await added();
    expect(await desk.add({ ...wanted, person: viewer })).toMatchObject({ code: 'not-allowed' });
    for (const what of ['pause', 'resume', 'run', 'remove'] as const) {
      expect(await desk.change(what, id, viewer)).toMatchObject({ code: 'not-allowed' });
    }
    expect(await desk.list(null, viewer)).toMatchObject([{ id, paused: false, editor: { id: 'UALICE' } }]);
    expect(await desk.list(null, { ...viewer, roles: [] })).toMatchObject({ code: 'not-allowed' });
    expect(told).toEqual([]);
  });

  it('may pause one of the configuration, not remove it', async () => {
    const view = await added();
    await store.add({ ...view, id: 'sch-0000000c', configured: 'nightly' }, now);
    const refusal = (await desk.change('remove', 'sch-0000000c', bob)) as Refusal;
    expect(refusal).toMatchObject({
      code: 'wrong-use',
      message: expect.stringContaining('configuration (as nightly)'),
    });
    expect(await desk.change('pause', 'sch-0000000c', bob)).toMatchObject({ paused: true });
    expect((await store.list(null)).map(({ id }) => id)).toContain('sch-0000000c');
  });

  it('gets rid of a schedule whose times cannot be read any more', async () => {
    const view = await added();
    await store.add({ ...view, id: 'sch-00000001', cron: '0 3 L * *' }, now);
    expect(await desk.change('resume', 'sch-00000001', bob)).toMatchObject({ nextAt: null, next: [] });
    await desk.change('remove', 'sch-00000001', bob);
    expect((await store.list(null)).map(({ id }) => id)).toEqual([view.id]);
  });

  it('hears of a schedule that there is not', async () => {
    expect(await desk.change('pause', 'sch-00000000', alice)).toMatchObject({
      code: 'wrong-use',
      message: 'There is no schedule sch-00000000.',
    });
  });
});
