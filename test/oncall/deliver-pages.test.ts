import type { NewNotice } from '../../src/notices/notice.ts';
import type { Contact } from '../../src/oncall/contact.ts';
import { deliverPages } from '../../src/oncall/deliver-pages.ts';
import type { Page, PageDetail } from '../../src/oncall/page.ts';
import type { PagerDuty } from '../../src/oncall/pager-duty.ts';
import { Failure } from '../../src/shared/failure.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { memoryPageStore } from './memory-page-store.ts';

const detail: PageDetail = {
  reason: 'run-failed',
  environment: 'production',
  severity: 'critical',
  summary: 'production: migrate x stopped',
  advice: 'look',
  runId: 'run-1',
};
const contacts = [
  { name: 'Dora', role: 'database admin', user: 'UDORA' },
  { name: 'Paul', role: 'platform', user: 'UPAUL', environments: ['staging'] },
  { name: 'Phone only', role: 'manager', phone: '+49 30 1' },
];
const away = (retryable: boolean): Failure =>
  new Failure({ code: 'unreachable', message: 'PagerDuty does not answer.', advice: '', retryable });

function world(answers: (Failure | null)[] | null, called: readonly Contact[] = contacts) {
  const store = memoryPageStore();
  const sent: Page[] = [];
  const notices = new Map<string, NewNotice>();
  let now = Date.UTC(2026, 10, 20, 10);
  const pagerDuty: Pick<PagerDuty, 'send'> = {
    async send(page) {
      const answer = answers?.shift() ?? null;
      if (answer !== null) throw answer;
      sent.push(page);
    },
  };
  const deps = {
    store,
    pagerDuty: answers === null ? null : pagerDuty,
    contacts: called,
    channelOf: (environment: string) => (environment === 'production' ? 'tas-production' : null),
    notices: {
      async add(all: readonly NewNotice[]) {
        for (const one of all) notices.set(one.once, one);
      },
    },
    clock: { now: () => new Date(now) },
    logger: createLogger('silent'),
  };
  return {
    store,
    sent,
    notices: () => [...notices.values()],
    raise: (once: string) => store.raise(once, 'run:run-1', detail, new Date(now)),
    resolve: () => store.resolve('run:run-1', new Date(now)),
    /** Delivers, then lets time go by. */
    async wait(seconds: number) {
      now += seconds * 1000;
      await deliverPages(deps);
    },
  };
}

describe('with PagerDuty', () => {
  it('raises and resolves, each once', async () => {
    const { raise, resolve, wait, sent, notices } = world([]);
    await raise('1');
    await wait(1);
    await wait(1);
    await resolve();
    await wait(1);
    await wait(100);
    expect(sent.map(({ state, version }) => [state, version])).toEqual([
      ['raised', 1],
      ['resolved', 2],
    ]);
    expect(notices()).toEqual([]);
  });

  it('keeps a page while PagerDuty is away, waits longer each time, and calls the contacts at the third failure', async () => {
    const { raise, wait, sent, notices } = world([away(true), away(true), away(true), away(true)]);
    await raise('1');
    await wait(0);
    await wait(4);
    expect(notices()).toEqual([]);
    await wait(1);
    await wait(9);
    expect(notices()).toEqual([]);
    await wait(1);
    expect(notices().map(({ to, content }) => [to, 'note' in content && content.note])).toEqual([
      [{ channel: 'tas-production' }, 'PagerDuty does not answer.'],
      [{ user: 'UDORA' }, 'PagerDuty does not answer.'],
    ]);
    await wait(20);
    await wait(40);
    expect(sent).toHaveLength(1);
    expect(notices()).toHaveLength(2);
  });

  it('wakes nobody for what was settled before PagerDuty came back', async () => {
    const { store, raise, resolve, wait, sent } = world([]);
    await raise('1');
    await resolve();
    await wait(1);
    expect(sent).toEqual([]);
    expect(store.pages.get('run:run-1')).toMatchObject({ delivered: 2 });
  });

  it('tells of the end where the raising may have arrived though its answer got lost', async () => {
    const { raise, resolve, wait, sent } = world([away(true)]);
    await raise('1');
    await wait(1);
    await resolve();
    await wait(1);
    expect(sent.map(({ state }) => state)).toEqual(['resolved']);
  });

  it('calls the contacts at once where PagerDuty will never take it, and tries again later: somebody may mend the key', async () => {
    const { raise, wait, sent, notices } = world([away(false)]);
    await raise('1');
    await wait(1);
    expect(notices()).toHaveLength(2);
    await wait(299);
    expect(sent).toEqual([]);
    await wait(1);
    expect(sent).toHaveLength(1);
  });
});

describe('without anybody to call', () => {
  it('says nothing beside what the run itself tells, unless PagerDuty should have been told', async () => {
    const quiet = world(null, []);
    await quiet.raise('1');
    await quiet.wait(1);
    expect(quiet.notices()).toEqual([]);
    expect(quiet.store.pages.get('run:run-1')).toMatchObject({ delivered: 1 });
    const refused = world([away(false)], []);
    await refused.raise('1');
    await refused.wait(1);
    expect(refused.notices()).toMatchObject([{ to: { channel: 'tas-production' } }]);
  });
});

describe('without PagerDuty', () => {
  it('mentions the contacts of the environment in its channel and tells each directly; the end edits that', async () => {
    const { raise, resolve, wait, notices } = world(null);
    await raise('1');
    await wait(1);
    await wait(1);
    expect(notices()).toMatchObject([
      { to: { channel: 'tas-production' }, anew: true, content: { state: 'raised', users: ['UDORA'], note: null } },
      { to: { user: 'UDORA' }, anew: true, content: { state: 'raised', users: [] } },
    ]);
    await resolve();
    await wait(1);
    expect(notices().slice(2)).toMatchObject([
      { to: { channel: 'tas-production' }, anew: false, content: { state: 'resolved', users: [] } },
      { to: { user: 'UDORA' }, anew: false, content: { state: 'resolved' } },
    ]);
    expect(new Set(notices().map(({ topic }) => topic))).toEqual(new Set(['page:run:run-1']));
  });
});
