import { formBody } from '../../sandbox/slack/delivery.ts';
import { signedHeaders } from '../../sandbox/slack/signing.ts';
import type { Message } from '../../sandbox/slack/slack.ts';
import type { Run } from '../../src/runs/run.ts';
import { samplePlan, sampleRun } from '../sample-run.ts';
import { type FrontOnSlack, startFrontOnSlack, until } from './front-on-slack.ts';

let setup: FrontOnSlack;

const inChannel = (): readonly Message[] =>
  setup.slack.messages('tas-platform').filter(({ threadTs }) => threadTs === null);
const inThread = (): readonly Message[] =>
  setup.slack.messages('tas-platform').filter(({ threadTs }) => threadTs !== null);
/** In channels, in threads, and by the edits that follow. */
async function told(): Promise<void> {
  const { outbox, door } = setup;
  await until(() => outbox.at === door.eventList.length && outbox.threadsAt === door.eventList.length);
  const shows = ({ id, status }: Run): boolean =>
    inChannel().some(({ text, blocks }) => JSON.stringify([text, blocks]).includes(id) && text.includes(status));
  await until(() => [...door.runMap.values()].every((run) => run.status !== 'done' || shows(run)));
}

function addRun(over: Partial<Run> = {}): Run {
  return setup.door.add(sampleRun({ requester: { id: 'U0ALICE00', name: 'alice' }, ...over }));
}

/** A whole run, event by event. */
function carryOut(run: Run): void {
  const { door } = setup;
  door.change(run.id, { status: 'queued' }, 'approved', null);
  door.change(run.id, { status: 'running', startedAt: new Date().toISOString() }, 'started', null);
  door.event(run.id, 'stage-started', 'Data');
  door.event(run.id, 'progress', null);
  door.event(run.id, 'progress', null);
  door.change(run.id, { status: 'done', endedAt: new Date().toISOString() }, 'done', null);
}

beforeEach(async () => {
  setup = await startFrontOnSlack('http');
});
afterEach(async () => {
  await setup.stop();
});

describe('announcing', () => {
  it('keeps one message a run, its details in the thread, and one new post at the end', async () => {
    const { slack } = setup;
    const run = addRun();
    carryOut(run);
    await told();
    const [card, end, ...more] = inChannel();
    expect(more).toEqual([]);
    expect(card?.text).toContain('SANDBOX · space-isolation');
    expect(card?.text).toContain('done');
    expect(end?.text).toContain('Done: SANDBOX · space-isolation');
    expect(inThread().map(({ threadTs }) => threadTs)).toEqual([card?.ts, card?.ts]);
    expect(inThread().map(({ text }) => text)).toEqual(['What the plan would do', '▶ Data']);
    expect(slack.as('alice').notifications()).toContain(end);
    expect(card?.metadata).toMatchObject({ event_type: 'tas_run_event', event_payload: { run: run.id, name: 'card' } });
  });

  it('tells once in the thread, before anything changes, how to recover without the bot', async () => {
    const run = addRun({ status: 'running', startedAt: new Date().toISOString() });
    setup.door.event(run.id, 'changing', null);
    setup.door.event(run.id, 'changing', null);
    setup.door.event(run.id, 'stage-started', 'Data');
    await told();
    const notes = () => inThread().filter(({ text }) => text.startsWith('If I die'));
    expect(inThread().map(({ text }) => text.slice(0, 8))).toEqual(['What the', 'If I die', '▶ Data']);
    expect(JSON.stringify(notes()[0]?.blocks)).toContain(`/tas runbook ${run.id}`);
    const backup = addRun({ id: 'run-01jd0a4yd0', status: 'running', plan: samplePlan({ action: 'backup' }) });
    setup.door.event(backup.id, 'changing', null);
    await told();
    expect(notes()).toHaveLength(1);
  });

  it('merges many edits into few', async () => {
    const run = addRun({ status: 'running', startedAt: new Date().toISOString() });
    await told();
    for (let count = 0; count < 200; count += 1) setup.door.event(run.id, 'progress', null);
    await told();
    const edits = setup.slack.calls.filter(({ method }) => method === 'chat.update').length;
    expect(edits).toBeLessThan(10);
  });

  it('tells the newest state of runs that went on while it was away', async () => {
    await setup.front.stop();
    const run = addRun();
    carryOut(run);
    await setup.restart();
    await told();
    expect(inChannel().map(({ text }) => text)).toEqual([
      expect.stringMatching(/space-isolation.*: done/),
      expect.stringMatching(/^Done/),
    ]);
  });

  it('reports what a rollback kept, in the post and in the thread', async () => {
    setup.door.conflictReport = {
      total: 1,
      conflicts: [
        {
          system: 'graph',
          stepId: 's',
          collection: 'Notebook',
          key: 'nb-1',
          field: 'title',
          reason: 'changed-since',
          base: 'a',
          ours: 'b',
          theirs: 'c',
        },
      ],
    };
    carryOut(addRun({ plan: samplePlan({ action: 'rollback', subject: 'run-0' }) }));
    await told();
    expect(JSON.stringify(inChannel().at(-1)?.blocks)).toContain('somebody changed it since');
    expect(inThread().at(-1)?.text).toBe('Kept as it is');
  });
});

describe('exactly once', () => {
  it('finds a post that was made and not recorded, instead of making it again', async () => {
    const { outbox } = setup;
    let died = false;
    outbox.beforeFinish = (name) => {
      if (died) return;
      died = true;
      throw new Error(`killed between the post of ${name} and its record`);
    };
    addRun();
    await until(() => died);
    await setup.front.stop();
    expect(inChannel()).toHaveLength(1);
    expect([...outbox.posts.values()]).toMatchObject([{ ts: null }]);
    outbox.beforeFinish = () => {};
    await setup.restart();
    await told();
    expect(inChannel()).toHaveLength(1);
    expect([...outbox.posts.values()][0]?.ts).toBe(inChannel()[0]?.ts);
  });

  it('posts what was begun and never arrived', async () => {
    const { outbox } = setup;
    await setup.front.stop();
    const run = addRun();
    outbox.posts.set(`${run.id}/card`, { channel: 'C0PLATFRM', ts: null });
    await setup.restart();
    await told();
    expect(inChannel()).toHaveLength(1);
  });

  it('holds for each post of a run, however often the bot dies on the way', async () => {
    const { outbox } = setup;
    const died = new Set<string>();
    outbox.beforeFinish = (name) => {
      if (died.has(name)) return;
      died.add(name);
      throw new Error(`killed at ${name}`);
    };
    carryOut(addRun());
    await told();
    const names = setup.slack
      .messages('tas-platform')
      .map(({ metadata }) => (metadata as { event_payload: { name: string } }).event_payload.name);
    expect(died.size).toBeGreaterThanOrEqual(4);
    expect(new Set(names)).toEqual(died);
    expect(names).toHaveLength(died.size);
  });
});

describe('when Slack is in trouble', () => {
  it('keeps trying, with the cursor where it was, and tells all of it afterwards', async () => {
    const { slack, outbox } = setup;
    slack.goDown();
    const run = addRun();
    await until(() => setup.logged.filter((line) => line.includes('will try again')).length >= 2);
    expect(outbox.at).toBe(0);
    carryOut(run);
    slack.comeBack();
    await told();
    expect(inChannel()).toHaveLength(2);
  });

  it('waits as long as Retry-After says', async () => {
    const { slack } = setup;
    slack.limitOnce('chat.postMessage', 1);
    addRun();
    await told();
    const [refused, posted] = slack.calls.filter(({ method }) => method === 'chat.postMessage');
    expect((posted?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(950);
    expect(inChannel()).toHaveLength(1);
  });

  it('passes over a channel that is not there, tells the requester once, and serves the others', async () => {
    const { slack, door } = setup;
    door.environments = [
      { name: 'sandbox', production: false, channel: 'no-such-channel' },
      ...door.environments.slice(1),
    ];
    carryOut(addRun());
    const other = addRun({ id: 'run-other00000', plan: samplePlan({ environment: 'production' }) });
    await until(() => setup.outbox.at === door.eventList.length);
    expect(inChannel().map(({ text }) => text)).toEqual([expect.stringContaining('PRODUCTION')]);
    const direct = slack.as('alice').notifications();
    expect(direct.filter(({ text }) => text.includes('invite me there'))).toHaveLength(1);
    expect(direct.filter(({ text }) => text.startsWith('Done'))).toHaveLength(1);
    expect(other.environment).toBe('production');
  });
});

describe('groups', () => {
  it('are read again as soon as Slack says that they changed', async () => {
    const { slack, outbox } = setup;
    slack.setMembers('S0APPROVE', ['U0ERIN000']);
    const event = { type: 'subteam_members_changed', subteam_id: 'S0APPROVE' };
    const body = formBody('events_api', { type: 'event_callback', event_id: 'Ev1', team_id: 'T0TAS0000', event });
    const headers = { ...signedHeaders(slack.signingSecret, body, Math.floor(Date.now() / 1000)) };
    headers['content-type'] = 'application/json';
    expect((await fetch(setup.url ?? '', { method: 'POST', headers, body })).status).toBe(200);
    await until(() => outbox.groups.get('S0APPROVE')?.[0]?.id === 'U0ERIN000');
  });
});
