import { createOnCallDesk, type OnCallView, sortDuties } from '../../src/oncall/on-call-desk.ts';
import type { Duty } from '../../src/oncall/pager-duty.ts';
import { Failure } from '../../src/shared/failure.ts';
import { alice, carol, mallory } from '../fake-door.ts';
import { memoryPageStore } from './memory-page-store.ts';

const contacts = [
  { name: 'Dora', role: 'database admin', user: 'UDORA', phone: '+49 30 1' },
  { name: 'Paul', role: 'platform', environments: ['staging'] },
];
const duty = (person: string, from: string | null, until: string | null, level = 1): Duty => ({
  person,
  level,
  policy: 'TAS',
  schedule: 'Platform',
  from,
  until,
});

function world(answer: () => Promise<readonly Duty[]>) {
  let now = Date.parse('2026-11-20T10:00:00.000Z');
  let asked = 0;
  const store = memoryPageStore();
  const desk = createOnCallDesk({
    pagerDuty: {
      duties: () => {
        asked += 1;
        return answer();
      },
      incidents: async (keys) => new Map(keys.map((key) => [key, key === 'run:a' ? 'acknowledged' : 'resolved'])),
    },
    contacts,
    phoneFor: ['operator'],
    store,
    clock: { now: () => new Date(now) },
  });
  return {
    store,
    asked: () => asked,
    later: (seconds: number) => {
      now += seconds * 1000;
    },
    view: async (person = alice, environment: string | null = 'sandbox') =>
      (await desk.view(environment, person)) as OnCallView,
  };
}

describe('who is on call', () => {
  it('is asked at most once a minute', async () => {
    const { view, later, asked } = world(async () => [duty('dana', null, null)]);
    await Promise.all([view(), view(carol)]);
    later(59);
    expect((await view()).duties?.now).toMatchObject([{ person: 'dana' }]);
    expect(asked()).toBe(1);
    later(1);
    await view();
    expect(asked()).toBe(2);
  });

  it('is answered with the contacts, and says so, where PagerDuty does not answer', async () => {
    const { view } = world(() =>
      Promise.reject(new Failure({ code: 'unreachable', message: 'PagerDuty does not answer.', advice: '' })),
    );
    expect(await view()).toMatchObject({
      duties: null,
      note: expect.stringMatching(/PagerDuty does not answer.*contacts/),
      contacts: [{ name: 'Dora' }],
    });
  });

  it('shows phones to those alone who may see them', async () => {
    const { view } = world(async () => []);
    expect((await view(alice)).contacts).toEqual([
      { name: 'Dora', role: 'database admin', user: 'UDORA', phone: '+49 30 1' },
    ]);
    expect(JSON.stringify(await view(carol))).not.toMatch(/\+49/);
    expect(await view(mallory)).toMatchObject({ kind: 'refused', code: 'not-allowed' });
  });

  it('shows what somebody was called for and is not settled, and whether it was taken up', async () => {
    const { view, store } = world(async () => []);
    const detail = { environment: 'sandbox', severity: 'error', summary: 's', advice: 'a', runId: null } as const;
    await store.raise('1', 'run:a', { ...detail, reason: 'run-failed' }, new Date('2026-11-20T09:00:00.000Z'));
    await store.raise('2', 'run:b', { ...detail, reason: 'run-lost' }, new Date('2026-11-20T09:10:00.000Z'));
    expect((await view()).pages.map(({ state }) => state)).toEqual(['acknowledged', null]);
    expect((await view(alice, 'production')).pages).toEqual([]);
  });
});

it('tells now from next, by policy and level', () => {
  const now = new Date('2026-11-20T10:00:00.000Z');
  const sorted = sortDuties(
    [
      duty('later', '2026-11-22T08:00:00Z', null),
      duty('second', '2026-11-20T08:00:00Z', '2026-11-21T08:00:00Z', 2),
      duty('was', '2026-11-19T08:00:00Z', '2026-11-20T10:00:00Z'),
      duty('next', '2026-11-21T08:00:00Z', '2026-11-22T08:00:00Z'),
      duty('first', '2026-11-20T10:00:00Z', '2026-11-21T08:00:00Z'),
    ],
    now,
  );
  expect(sorted.now.map(({ person }) => person)).toEqual(['first', 'second']);
  expect(sorted.next.map(({ person }) => person)).toEqual(['next']);
});
