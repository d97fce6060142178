import type { NewNotice } from '../../src/notices/notice.ts';
import { createOnCall, type OnCallSettings } from '../../src/oncall/create-on-call.ts';
import { pageReasons } from '../../src/oncall/page.ts';
import type { Run, RunEvent, RunEventType } from '../../src/runs/run.ts';
import type { StoredRun } from '../../src/runs/run-records.ts';
import { createLogger } from '../../src/shared/logger.ts';
import { Secret } from '../../src/shared/secret.ts';
import type { System } from '../../src/systems/system.ts';
import { alice } from '../fake-door.ts';
import { sampleRun } from '../sample-run.ts';
import { memoryPageStore } from './memory-page-store.ts';
import { type StandInPagerDuty, startPagerDuty } from './stand-in-pager-duty.ts';

let duty: StandInPagerDuty;

beforeEach(async () => {
  duty = await startPagerDuty();
});
afterEach(() => duty.close());

/** Everything on-call but the database, with the real client of PagerDuty. */
function world() {
  let now = Date.parse('2026-11-20T10:00:00.000Z');
  const events: RunEvent[] = [];
  const notices: NewNotice[] = [];
  let closes = true;
  const run: Run = sampleRun({ id: 'run-1', status: 'parked', environment: 'sandbox' });
  const cluster = {
    name: 'cluster',
    type: 'kubernetes',
    standing: async (ids: readonly string[]) => (ids.includes('run-1') ? [{ what: 'backend is stopped', closes }] : []),
  } as unknown as System;
  const settings: OnCallSettings = {
    pagerduty: {
      routingKey: 'env:KEY',
      routingKeys: { production: 'env:OTHER' },
      token: 'env:TOKEN',
      schedules: [],
      escalationPolicies: [],
      apiServer: duty.server,
      eventsServer: duty.server,
    },
    contacts: [{ name: 'Dora', role: 'database admin', user: 'UDORA' }],
    pages: pageReasons,
    phoneFor: [],
    bake: { minutes: 0, checks: [] },
  };
  const secrets: Record<string, string> = { 'env:KEY': duty.routingKey, 'env:OTHER': 'o', 'env:TOKEN': duty.token };
  const onCall = createOnCall({
    settings,
    reveal: (reference) => new Secret(secrets[reference] ?? ''),
    ca: duty.ca,
    store: memoryPageStore(),
    looks: { endedSince: async () => [], claim: async () => true, save: async () => undefined, read: async () => [] },
    notices: { add: async (all) => void notices.push(...all) },
    records: {
      leaseHolder: async () => null,
      event: async () => undefined,
      events: async (afterId, limit) => events.filter(({ id }) => id > afterId).slice(0, limit),
      find: async () => run as StoredRun,
    },
    environments: new Map([
      [
        'sandbox',
        {
          name: 'sandbox',
          channel: 'tas-platform',
          systems: new Map([['cluster', cluster]]),
          checks: async () => new Map(),
        },
      ],
    ]),
    clock: { now: () => new Date(now) },
    logger: createLogger('silent'),
  });
  return {
    onCall,
    notices,
    servicesUp: () => {
      closes = false;
    },
    async happens(seconds: number, ...types: RunEventType[]) {
      now += seconds * 1000;
      for (const type of types) {
        events.push({ id: events.length + 1, runId: 'run-1', type, text: null, at: new Date(now).toISOString() });
      }
      await onCall.tick();
    },
  };
}

describe('a run that stops', () => {
  it('is critical in PagerDuty while services are down, and resolved there when it is over', async () => {
    const { happens, onCall } = world();
    await happens(1, 'started', 'failed');
    await happens(1);
    expect(duty.incidents).toMatchObject([{ status: 'triggered', severity: 'critical' }]);
    expect(await onCall.desk.view('sandbox', alice)).toMatchObject({ pages: [{ runId: 'run-1', state: 'triggered' }] });
    await happens(1, 'resumed', 'done');
    expect(duty.incidents).toMatchObject([{ status: 'resolved' }]);
    expect(await onCall.desk.view('sandbox', alice)).toMatchObject({ pages: [] });
  });

  it('is an error while services are up', async () => {
    const { happens, servicesUp } = world();
    servicesUp();
    await happens(1, 'failed');
    expect(duty.incidents).toMatchObject([{ severity: 'error' }]);
  });

  it('reaches PagerDuty later where it was away, as one incident, though an answer got lost', async () => {
    const { happens, notices } = world();
    duty.answers = ['hang', 'lost'];
    await happens(1, 'failed');
    expect(duty.events).toEqual([]);
    await happens(5);
    await happens(10);
    expect(duty.events).toHaveLength(2);
    expect(duty.incidents).toMatchObject([{ key: 'tas:run:run-1', status: 'triggered' }]);
    expect(notices).toEqual([]);
  });

  it('wakes nobody where all was settled while PagerDuty was away', async () => {
    const { happens } = world();
    await happens(1, 'failed', 'resumed', 'done');
    expect(duty.events).toEqual([]);
  });
});
