import type { Page } from '../../src/oncall/page.ts';
import { connectPagerDuty, type PagerDuty, type PagerDutyOptions } from '../../src/oncall/pager-duty.ts';
import { Secret } from '../../src/shared/secret.ts';
import { type StandInPagerDuty, startPagerDuty } from './stand-in-pager-duty.ts';

let duty: StandInPagerDuty;

beforeEach(async () => {
  duty = await startPagerDuty();
});
afterEach(() => duty.close());

function connect(over: Partial<PagerDutyOptions> = {}): PagerDuty {
  return connectPagerDuty({
    token: new Secret(duty.token),
    routingKey: () => new Secret(duty.routingKey),
    schedules: [],
    escalationPolicies: [],
    apiServer: duty.server,
    eventsServer: duty.server,
    ca: duty.ca,
    ...over,
  });
}

const page: Page = {
  key: 'run:run-01jd0a4ycz',
  reason: 'run-failed',
  environment: 'production',
  severity: 'critical',
  summary: 'production: migrate space-isolation stopped. Services are down.',
  advice: 'look',
  runId: 'run-01jd0a4ycz',
  state: 'raised',
  raisedAt: '2026-11-20T10:00:00.000Z',
  version: 1,
  tried: true,
  attempts: 0,
};

describe('a page', () => {
  it('is one incident however often it is sent, and is resolved by the same key', async () => {
    const pagerDuty = connect();
    await pagerDuty.send(page);
    await pagerDuty.send(page);
    expect(duty.incidents).toEqual([
      { key: 'tas:run:run-01jd0a4ycz', status: 'triggered', summary: page.summary, severity: 'critical' },
    ]);
    expect(duty.events[0]).toEqual({
      routing_key: duty.routingKey,
      dedup_key: 'tas:run:run-01jd0a4ycz',
      event_action: 'trigger',
      payload: {
        summary: page.summary,
        source: 'tas-bot production',
        severity: 'critical',
        timestamp: '2026-11-20T10:00:00.000Z',
        component: 'production',
        class: 'run-failed',
        custom_details: { advice: 'look', run: 'run-01jd0a4ycz' },
      },
    });
    await pagerDuty.send({ ...page, state: 'resolved', version: 2 });
    expect(duty.incidents).toMatchObject([{ status: 'resolved' }]);
    await pagerDuty.send({ ...page, version: 3 });
    expect(duty.incidents).toMatchObject([{ status: 'resolved' }, { status: 'triggered' }]);
  });

  it('is one incident too where the answer got lost and it is sent again', async () => {
    duty.answers = ['lost'];
    await expect(connect().send(page)).rejects.toMatchObject({ code: 'unreachable', retryable: true });
    await connect().send(page);
    expect(duty.events).toHaveLength(2);
    expect(duty.incidents).toHaveLength(1);
  });

  it('goes to the service of its environment', async () => {
    const asked: string[] = [];
    const routingKey = (environment: string): Secret => {
      asked.push(environment);
      return new Secret(duty.routingKey);
    };
    await connect({ routingKey }).send(page);
    expect(asked).toEqual(['production']);
  });

  it.each([500, 503, 'hang' as const])('can be sent later after %s', async (answer) => {
    duty.answers = [answer];
    await expect(connect().send(page)).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  it('can be sent later where PagerDuty wants no more just now', async () => {
    duty.answers = [429, 429, 429, 429];
    await expect(connect().send(page)).rejects.toMatchObject({ code: 'unreachable', retryable: true });
  });

  it('is refused with a wrong routing key, and no secret is in what is told of it', async () => {
    const wrong = connect({ routingKey: () => new Secret('wrong-key-of-mine') });
    const error = await wrong.send(page).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'precondition-failed', retryable: false });
    expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toMatch(/wrong-key-of-mine/);
    expect(duty.incidents).toEqual([]);
  });

  it('is never taken elsewhere by a redirect', async () => {
    duty.answers = [302];
    await expect(connect().send(page)).rejects.toMatchObject({ code: 'unreachable' });
    expect(duty.events).toEqual([]);
  });

  it('is not sent to a server whose certificate nobody knows', async () => {
    await expect(connect({ ca: null }).send(page)).rejects.toMatchObject({ code: 'unreachable' });
    expect(duty.events).toEqual([]);
  });
});

describe('who is on call', () => {
  const entry = (person: string, level: number) => ({
    user: { summary: person },
    schedule: { summary: 'Platform' },
    escalation_policy: { summary: 'TAS' },
    escalation_level: level,
    start: '2026-11-20T08:00:00Z',
    end: '2026-11-21T08:00:00Z',
  });
  const from = new Date('2026-11-20T10:00:00Z');
  const until = new Date('2026-11-27T10:00:00Z');

  it('is read with the token, for the configured schedules and policies, over all pages', async () => {
    duty.oncalls = Array.from({ length: 150 }, (_, index) => entry(`person ${index}`, 1));
    const duties = await connect({ schedules: ['S1', 'S2'], escalationPolicies: ['P1'] }).duties?.(from, until);
    expect(duties).toHaveLength(150);
    expect(duties?.[0]).toEqual({
      person: 'person 0',
      level: 1,
      policy: 'TAS',
      schedule: 'Platform',
      from: '2026-11-20T08:00:00Z',
      until: '2026-11-21T08:00:00Z',
    });
    expect(duty.asked.map(({ query }) => query.get('offset'))).toEqual(['0', '100']);
    expect(duty.asked[0]?.query.getAll('schedule_ids[]')).toEqual(['S1', 'S2']);
    expect(duty.asked[0]?.query.getAll('escalation_policy_ids[]')).toEqual(['P1']);
    expect(duty.asked[0]?.query.get('since')).toBe('2026-11-20T10:00:00.000Z');
  });

  it('is not asked without a token', () => {
    expect(connect({ token: null })).toMatchObject({ duties: null, incidents: null });
  });

  it('is refused with a wrong token, and the token is in nothing that is told', async () => {
    const error = await connect({ token: new Secret('stolen') })
      .duties?.(from, until)
      .catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'precondition-failed' });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toMatch(/stolen/);
  });

  it('tells whether somebody has taken a page up', async () => {
    const pagerDuty = connect();
    await pagerDuty.send(page);
    const [incident] = duty.incidents;
    if (incident) incident.status = 'acknowledged';
    expect(await pagerDuty.incidents?.([page.key, 'run:other'])).toEqual(new Map([[page.key, 'acknowledged']]));
  });
});
